{{- /* What cannot work is refused here, with what would. */}}
{{- define "gateway.refusals" -}}
{{- $v := .Values }}
{{- if and $v.zhipu.apiKey $v.zhipu.existingSecret }}
{{- fail "zhipu.apiKey and zhipu.existingSecret are both set; keep one." }}
{{- end }}
{{- if and $v.keys.value $v.keys.existingSecret }}
{{- fail "keys.value and keys.existingSecret are both set; keep one." }}
{{- end }}
{{- if gt (len (compact (list $v.redis.url $v.redis.existingSecret (ternary "valkey" "" $v.valkey.enabled)))) 1 }}
{{- fail "Of redis.url, redis.existingSecret and valkey.enabled, keep one." }}
{{- end }}
{{- if gt (len (compact (list $v.config.toml $v.config.existingConfigMap $v.config.existingSecret))) 1 }}
{{- fail "Of config.toml, config.existingConfigMap and config.existingSecret, keep one." }}
{{- end }}
{{- if and $v.autoscaling.enabled $v.keda.enabled }}
{{- fail "autoscaling and keda both scale the pods; enable one." }}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs must name the Gateway that the route belongs to." }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
{{- fail "ingress.hosts must name a host at least." }}
{{- end }}
{{- $most := $v.replicaCount }}
{{- $fewest := $v.replicaCount }}
{{- if $v.autoscaling.enabled }}
{{- $most = $v.autoscaling.maxReplicas }}
{{- $fewest = $v.autoscaling.minReplicas }}
{{- else if $v.keda.enabled }}
{{- $most = $v.keda.maxReplicas }}
{{- $fewest = $v.keda.minReplicas }}
{{- end }}
{{- if and (gt (int $most) 1) (not (include "gateway.hasRedis" .)) }}
{{- fail "Several pods without Redis would each allow the whole limit. Set redis.url or redis.existingSecret; valkey.enabled to try it out; redis.elsewhere if the address is said elsewhere." }}
{{- end }}
{{- $budget := $v.podDisruptionBudget }}
{{- if $budget.enabled }}
{{- if and (not (kindIs "invalid" $budget.maxUnavailable)) (not (kindIs "invalid" $budget.minAvailable)) }}
{{- fail "podDisruptionBudget takes maxUnavailable or minAvailable; set the other to null." }}
{{- end }}
{{- if and (kindIs "invalid" $budget.maxUnavailable) (kindIs "invalid" $budget.minAvailable) }}
{{- fail "podDisruptionBudget needs maxUnavailable or minAvailable." }}
{{- end }}
{{- if and (not (kindIs "invalid" $budget.minAvailable)) (not (kindIs "string" $budget.minAvailable)) }}
{{- if ge (int $budget.minAvailable) (int $fewest) }}
{{- fail (printf "podDisruptionBudget.minAvailable %d of %d pods would keep nodes from being drained." (int $budget.minAvailable) (int $fewest)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
