"""The model of a step, as DSPy sees it: a dspy.LM that asks the host. So the cache,
limits, budget, prices, journal and trace are dspi's, and no key is needed here."""

import asyncio

import dspy
import pydantic
from dspy.clients.base_lm import BaseLM
from dspy.clients.lm import LM as DSPyLM

from dspi import _calls

PARAMETERS = ("temperature", "top_p", "max_tokens", "seed", "stop", "reasoning_effort")
IGNORED = ("cache", "num_retries", "parallel_tool_calls", "stream", "api_key", "api_base", "base_url", "response_model")


class Bag(dict):
    """A dict whose names are attributes, as in the replies of OpenAI's client."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class LM(DSPyLM):
    """dspy.LM inside a worker. Any name may be given; the step's own model answers,
    and another one must be asked for in the program."""

    forward_contract = "legacy"

    def __init__(self, model="", model_type="chat", temperature=None, max_tokens=None, cache=True, **kwargs):
        for name in ("provider", "finetuning_model", "launch_kwargs", "train_kwargs", "use_developer_role", "api_key", "api_base", "base_url"):
            kwargs.pop(name, None)
        BaseLM.__init__(self, model=model, model_type="chat", temperature=temperature, max_tokens=max_tokens, cache=cache, **kwargs)
        self.provider = self.finetuning_model = None
        self.launch_kwargs, self.train_kwargs, self.use_developer_role = {}, {}, False

    def _get_initial_kwargs(self, *, temperature, max_tokens, **kwargs):
        return {"temperature": temperature, "max_tokens": max_tokens, **{k: v for k, v in kwargs.items() if v is not None}}

    @property
    def supports_function_calling(self):
        return bool(_calls.current().features.get("tools"))

    @property
    def supports_reasoning(self):
        return False

    @property
    def supports_response_schema(self):
        return bool(_calls.current().features.get("schema"))

    @property
    def supported_params(self):
        params = set(PARAMETERS)
        features = _calls.current().features
        if features.get("json") or features.get("schema"):
            params.add("response_format")
        if features.get("tools"):
            params |= {"tools", "tool_choice"}
        return params

    def forward(self, prompt=None, messages=None, **kwargs):
        call = _calls.current()
        if self.model and call.model and self.model != call.model and self.model not in call.models:
            raise dspy.LMConfigurationError(
                f"the code asks for the model `{self.model}`, and the step `{call.address}` has `{call.model}`: name the model in the program, and take dspy.settings.lm",
                model=self.model,
            )
        kwargs = {k: v for k, v in {**self.kwargs, **kwargs}.items() if v is not None and k not in IGNORED}
        n, rollout = kwargs.pop("n", None) or kwargs.pop("num_generations", None) or 1, kwargs.pop("rollout_id", 0)
        if "max_completion_tokens" in kwargs:
            kwargs["max_tokens"] = kwargs.pop("max_completion_tokens")
        args = {"messages": [plain(m) for m in messages or [{"role": "user", "content": prompt}]], "params": {}, "rollout": rollout}
        if self.model in call.models:
            args["model"] = self.model
        for name in PARAMETERS:
            if name in kwargs:
                args["params"][name] = kwargs.pop(name)
        if isinstance(args["params"].get("stop"), str):
            args["params"]["stop"] = [args["params"]["stop"]]
        if (form := kwargs.pop("response_format", None)) is not None:
            args["format"] = response_format(form)
        if tools := kwargs.pop("tools", None):
            args["tools"] = [plain(t["function"]) for t in tools]
        if choice := kwargs.pop("tool_choice", None):
            args["tool_choice"] = choice if isinstance(choice, str) else choice["function"]["name"]
        if kwargs:
            raise dspy.LMUnsupportedFeatureError(
                f"dspi cannot send {', '.join(sorted(kwargs))}: it passes {', '.join(PARAMETERS)}", model=call.model, features=sorted(kwargs)
            )
        choices, used, model = [], {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, call.model
        for i in range(n):
            reply = ask(call, {**args, "rollout": rollout * 1000 + i if i else rollout})
            message = Bag(role="assistant", content=reply.get("text"), tool_calls=tool_calls(reply), reasoning_content=reply.get("reasoning"))
            choices.append(Bag(index=i, message=message, finish_reason=reply.get("finish") or "stop"))
            used["prompt_tokens"] += reply.get("input_tokens", 0)
            used["completion_tokens"] += reply.get("output_tokens", 0)
            used["total_tokens"] = used["prompt_tokens"] + used["completion_tokens"]
            model = reply.get("model") or model
        return Bag(id="dspi", object="chat.completion", model=model, choices=choices, usage=used, cache_hit=False)

    async def aforward(self, prompt=None, messages=None, **kwargs):
        return await asyncio.to_thread(self.forward, prompt, messages, **kwargs)


def ask(call, args):
    """Asks the host for one reply; what fails there is raised as DSPy would."""
    try:
        return call.ask("lm", args)
    except HostError as e:
        make = {
            "context": dspy.ContextWindowExceededError, "auth": dspy.LMAuthError, "rate_limit": dspy.LMRateLimitError,
            "timeout": dspy.LMTimeoutError, "unreachable": dspy.LMTransportError, "request": dspy.LMInvalidRequestError,
        }.get(e.kind, dspy.LMProviderError)  # fmt: skip
        raised = make(e.message, model=call.model)
        raised.dspi_error = e.number
        raise raised from None


class HostError(Exception):
    """The host says why it has no answer."""

    def __init__(self, kind, message, number):
        super().__init__(message)
        self.kind, self.message, self.number = kind, message, number
        self.dspi_error = number


def tool_calls(reply):
    calls = reply.get("tool_calls")
    if not calls:
        return None
    return [Bag(id=c["id"], type="function", function=Bag(name=c["name"], arguments=c["arguments"])) for c in calls]


def response_format(form):
    if isinstance(form, type) and issubclass(form, pydantic.BaseModel):
        return {"name": form.__name__, "schema": form.model_json_schema()}
    if isinstance(form, dict) and form.get("type") == "json_schema":
        return {"name": form["json_schema"].get("name", "reply"), "schema": form["json_schema"].get("schema")}
    return {"name": "reply"}


def plain(v):
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, pydantic.BaseModel):
        return v.model_dump(mode="json")
    return v
