"""The dashboard of calls, speech and recordings."""

from tests.helm.dashboards.expressions import HERE, OF_MODEL, gauge, quantile, quantiles, rate
from tests.helm.grafana import Dashboard, Panel, Query, Row

TO_CLIENT = f'{HERE},direction="to_client"'

VOICE = Dashboard(
    name="voice",
    title="Realtime and audio",
    about="Calls, speech and recordings.",
    rows=(
        Row(
            "Calls",
            (
                Panel(
                    title="Sessions open",
                    about="Realtime sessions under way.",
                    queries=(
                        Query(gauge("streams_active", "model", f'{OF_MODEL},operation="realtime"'), "{{model}}"),
                    ),
                ),
                Panel(
                    title="Sessions that ended",
                    about="By who ended them, and WebSocket's code; 1011 is a break.",
                    queries=(
                        Query(rate("realtime_sessions_closed_total", "closed_by, code"), "{{closed_by}} {{code}}"),
                    ),
                ),
                Panel(
                    title="How long they lasted",
                    about="Handshake to close.",
                    queries=quantiles("realtime_session_duration"),
                    unit="s",
                ),
                Panel(
                    title="First sound of an answer",
                    about="From the end of the user's turn.",
                    queries=quantiles("realtime_first_audio"),
                    unit="s",
                    bad=2,
                ),
                Panel(
                    title="Sound, both ways",
                    about="Seconds of sound a second: 1 is one person who speaks all the time.",
                    queries=(Query(rate("realtime_audio_seconds_total", "direction"), "{{direction}}"),),
                ),
                Panel(
                    title="Connections to GLM replaced",
                    about="GLM's side broke and the session went on.",
                    queries=(Query(rate("realtime_reconnects_total", "model"), "{{model}}"),),
                ),
                Panel(
                    title="Events by direction",
                    about="All types together.",
                    queries=(Query(rate("realtime_events_total", "direction", HERE), "{{direction}}"),),
                    width=12,
                ),
                Panel(
                    title="Events to clients",
                    about="The ten commonest types.",
                    queries=(
                        Query(
                            f"topk(10, {rate('realtime_events_total', 'type', TO_CLIENT)})",
                            "{{type}}",
                        ),
                    ),
                    width=12,
                ),
            ),
        ),
        Row(
            "Recordings and speech",
            (
                Panel(
                    title="Sound heard",
                    about="Seconds of recordings a second, transcribed or translated.",
                    queries=(Query(rate("audio_seconds_total", "operation, model"), "{{operation}} {{model}}"),),
                    width=12,
                ),
                Panel(
                    title="Duration, 95 in 100",
                    about="Transcriptions, translations and speech.",
                    queries=(
                        Query(
                            quantile(
                                0.95,
                                "request_duration",
                                "operation",
                                f'{OF_MODEL},operation=~"transcription|translation|speech"',
                            ),
                            "{{operation}}",
                        ),
                    ),
                    unit="s",
                    width=12,
                ),
            ),
        ),
    ),
)
