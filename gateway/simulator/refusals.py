"""What the platform says when it refuses: a business code, and the words that go with it in two languages."""

import time
from typing import Literal, NamedTuple

from msgspec import UNSET

from gateway.glm.chat import ErrorDetail
from gateway.glm.errors import BUSINESS_CODES, ContentFilter, ErrorBody

Language = Literal["zh", "en"]


class Wording(NamedTuple):
    """One message in both languages; ``{0}`` and ``{1}`` are its subjects, ``{reset}`` a moment ahead."""

    zh: str
    en: str


ROLE = Wording("角色信息不正确", "Incorrect role information")
UNREADABLE_MEDIA = Wording("图片输入格式/解析错误", "Image input format/parse error")

# docs.bigmodel.cn/cn/api/api-code and docs.z.ai/api-reference/api-code; other codes are worded by their meaning.
_WORDINGS = {
    "500": Wording("内部错误", "Internal error"),
    "1000": Wording("身份验证失败。", "Authentication Failed"),
    "1001": Wording(
        "Header中未收到Authorization参数，无法进行身份验证。",
        "Authentication parameter not received in Header, unable to authenticate",
    ),
    "1002": Wording(
        "Authorization Token非法，请确认Authorization Token正确传递。", "Invalid Authentication Token"
    ),
    "1003": Wording(
        "Authorization Token已过期，请重新生成/获取。", "Authentication Token expired, please regenerate it"
    ),
    "1112": Wording("您的账户已被锁定，请联系客服解锁。", "Your account has been locked"),
    "1113": Wording(
        "余额不足或无可用资源包,请充值。", "Insufficient balance or no resource package. Please recharge."
    ),
    "1200": Wording("API 调用失败", "API call failed"),
    "1210": Wording(
        "API 调用参数有误，请检查文档。{0}", "Invalid API parameter, please check the documentation. {0}"
    ),
    "1211": Wording("模型不存在，请检查模型代码。", "Unknown Model, please check the model code."),
    "1212": Wording("当前模型不支持{0}调用方式", "Current model does not support the {0} call method"),
    "1213": Wording("未正常接收到{0}参数。", "{0} parameter not received properly"),
    "1214": Wording("{0} 参数非法。请检查文档。", "Invalid {0} parameter. Please check the documentation"),
    "1215": Wording("{0} 与 {1} 不能同时设置，请检查文档", "{0} and {1} cannot be set simultaneously"),
    "1220": Wording("您无权访问{0}", "You do not have permission to access {0}"),
    "1230": Wording("API 调用流程出错", "API call process error"),
    "1231": Wording("您已有请求：{0}", "You already have a request: {0}"),
    "1234": Wording(
        "网络错误，错误id：{0}，请联系客服", "Network error, error id: {0}, please contact customer service"
    ),
    "1261": Wording("Prompt 超长", "Prompt exceeds max length"),
    "1301": Wording(
        "系统检测到输入或生成内容可能包含不安全或敏感内容，请您避免输入易产生敏感内容的提示语，感谢您的配合。",
        "System detected potentially unsafe or sensitive content in input or generation.",
    ),
    "1302": Wording("您的账户已达到速率限制，请您控制请求频率", "Rate limit reached for requests"),
    "1305": Wording(
        "该模型当前访问量过大，请您稍后再试",
        "The service may be temporarily overloaded, please try again later",
    ),
    "1308": Wording(
        "已达到 5 小时的使用上限。您的限额将在 {reset} 重置。",
        "Usage limit reached for 5 hour. Your limit will reset at {reset}",
    ),
    "1309": Wording("您的 GLM Coding Plan 套餐已到期，暂无法使用", "Your GLM Coding Plan package has expired"),
    "1310": Wording(
        "您已达到每周/每月使用上限，您的限额将在 {reset} 重置",
        "Weekly/Monthly limit exhausted. Your limit will reset at {reset}",
    ),
    "1311": Wording(
        "当前订阅套餐暂未开放{0}权限", "Your current subscription plan does not yet include access to {0}"
    ),
}


class Refusal(Exception):
    """
    The platform refuses a request with a business code.

    ``subjects`` fill the wording: a field, a range, a request id. ``wording`` replaces the code's usual one.
    """

    def __init__(
        self,
        code: str,
        *subjects: str,
        wording: Wording | None = None,
        content_filter: list[ContentFilter] | None = None,
    ) -> None:
        super().__init__(code, *subjects)
        self.code = BUSINESS_CODES[code]
        self.subjects = subjects
        self.wording = wording or _WORDINGS.get(code) or Wording(self.code.meaning, self.code.meaning)
        self.content_filter = content_filter

    def body(self, language: Language, *, now: float, request_id: str | None = None) -> ErrorBody:
        """Word the refusal; ``request_id`` None leaves it out, as while the caller is unknown."""
        template = getattr(self.wording, language)
        message = template.format(*self.subjects, "", "", reset=_an_hour_after(now)).strip()
        return ErrorBody(
            error=ErrorDetail(code=self.code.code, message=message),
            request_id=request_id or UNSET,
            content_filter=self.content_filter or UNSET,
        )


def _an_hour_after(now: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + 3600 + 8 * 3600))  # the platform says Beijing time
