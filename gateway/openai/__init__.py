"""The public wire: Structs named as in OpenAI's specification. No functions with logic."""
