"""
GLM-Realtime: the events of ``wss://open.bigmodel.cn/api/paas/v4/realtime``, in both directions.

Source: docs.bigmodel.cn, GLM-Realtime (read 2026-11), the vendor's SDKs, and what users recorded. What is sent
holds only documented fields; what is received tolerates whatever is missing, null or new.
"""
