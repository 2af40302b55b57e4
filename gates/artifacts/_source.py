"""Python that an artifact brings: what its modules do when MLflow imports them.

Source is parsed, never compiled to byte code or run. What a function does when somebody calls it
later is for the cage; what happens on import, and in what MLflow calls to load a model, is told.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from gates.artifacts._found import Found, Place
from gates.artifacts._layers import NotRead

__all__ = ["byte_code", "path_file", "program", "python"]

_MOST = 1 << 20
_MOST_NODES = 200_000
_ON_LOADING = {
    "_load_pyfunc",
    "load_context",
    "__reduce__",
    "__reduce_ex__",
    "__setstate__",
    "__init_subclass__",
    "__getattr__",
}
_COMMANDS = re.compile(
    r"((os|posix)\.(system|popen\w*|exec\w+|spawn\w+|posix_spawn\w*|fork\w*|startfile)"
    r"|subprocess\.\w+|commands\.\w+|popen2\.\w+|pty\.(spawn|fork)|runpy\.\w+|code\.\w+|codeop\.\w+"
    r"|_posixsubprocess\.\w+|marshal\.loads?|types\.(FunctionType|CodeType)|pip\.\w+[\w.]*"
    r"|builtins\.(eval|exec|compile|__import__|globals|vars)|numpy\.f2py\.[\w.]+"
    r"|ctypes\.(CDLL|PyDLL|cdll|pythonapi|util)[\w.]*|_ctypes\.\w+|cffi\.\w+|pexpect\.\w+)"
)
_NETWORK = re.compile(
    r"(socket\.(create_connection|socket)|(urllib|requests|httpx|http|ftplib|smtplib|telnetlib|"
    r"paramiko|aiohttp|urllib3|xmlrpc)\.(?!parse)[\w.]+)"
)
_HIDES = {"os", "posix", "subprocess", "builtins", "__builtins__", "sys", "importlib"}
_NAMES_IN_BYTE_CODE = re.compile(
    rb"(?<![\w.])(system|popen|subprocess|Popen|exec|eval|__import__|socket|marshal|ctypes)(?![\w.])"
)


def python(place: Place) -> Iterator[Found]:
    """Python source, by its name: an import goes by names too."""
    if not place.name.endswith((".py", ".pyw")):
        return
    if place.region.size > _MOST:
        raise NotRead("it is Python of more than 1 MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is no concern of ours
            tree = ast.parse(place.region.head(_MOST))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield Found("medium", "is Python that cannot be parsed", "nobody can tell what it does")
        return
    source = _Source(tree)
    seen = set()
    for node in source.run_on_import():
        called = source.called(node)
        if called in seen:
            continue
        seen.add(called)
        if _COMMANDS.fullmatch(called):
            yield Found("critical", f"calls {called} when it is imported or loaded", _RUNS)
        elif _NETWORK.fullmatch(called):
            yield Found("high", f"calls {called} when it is imported or loaded", _REACHES)
        elif called.startswith("?"):
            yield Found("critical", f"calls something of {called[1:]} whose name is hidden", _RUNS)


_RUNS = "importing it runs commands or code that no lock covers"
_REACHES = "importing it reaches the network"


class _Source:
    """A module: what its names stand for, and what is run when it is imported."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.aliases: dict[str, str] = {}
        self.defined: dict[str, list[ast.AST]] = {}
        for count, node in enumerate(ast.walk(tree)):
            if count > _MOST_NODES:
                raise NotRead("it is Python of more statements than are looked at")
            self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.Import():
                for one in node.names:
                    top = one.name.partition(".")[0]
                    self.aliases[one.asname or top] = one.name if one.asname else top
            case ast.ImportFrom():
                for one in node.names:
                    self.aliases[one.asname or one.name] = f"{node.module or ''}.{one.name}"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.defined.setdefault(node.name, []).append(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                dotted = self.dotted(value)
                if dotted and dotted.partition(".")[0] in _HIDES | {"eval", "exec", "compile"}:
                    self.aliases[name] = dotted

    def run_on_import(self) -> Iterator[ast.Call]:
        """Every call on import or loading: in functions too, where these are called by it."""
        waiting: list[ast.AST] = [self.tree]
        for name in _ON_LOADING & self.defined.keys():
            waiting += self.defined[name]
        seen: set[int] = set()
        while waiting:
            for node in self._reached(waiting.pop()):
                if isinstance(node, ast.Call):
                    yield node
                used = node.id if isinstance(node, ast.Name) else ""
                used = node.attr if isinstance(node, ast.Attribute) else used
                for one in self.defined.get(used, ()):
                    if id(one) not in seen:
                        seen.add(id(one))
                        waiting.append(one)

    def _reached(self, start: ast.AST) -> Iterator[ast.AST]:
        """What is run of something: a function's body only where it is the start."""
        waiting: list[ast.AST] = [start]
        whole = isinstance(start, ast.ClassDef)
        while waiting:
            node = waiting.pop()
            yield node
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                and node is not start
                and not whole
            ):
                waiting += getattr(node, "decorator_list", [])
                waiting += [one for one in node.args.defaults + node.args.kw_defaults if one]
            elif not _is_main(node):
                waiting += ast.iter_child_nodes(node)

    def called(self, node: ast.Call) -> str:
        """What a call calls, as a dotted name; `?os` for what is taken from it by a hidden name."""
        dotted = self.dotted(node.func)
        if dotted in ("getattr", "builtins.getattr") and len(node.args) > 1:
            owner = self.dotted(node.args[0])
            name = node.args[1]
            if owner.partition(".")[0] in _HIDES:
                if not isinstance(name, ast.Constant):
                    return f"?{owner}"
                return f"{owner}.{name.value!s}"
        if isinstance(node.func, ast.Subscript):
            return self._taken(node.func.value)
        first, _, rest = dotted.partition(".")
        if first in ("importlib", "__import__") and rest in ("import_module", ""):
            name = node.args[0] if node.args else node
            hidden = not isinstance(name, ast.Constant) and first == "__import__"
            return "builtins.__import__" if hidden else ""
        if dotted in ("eval", "exec", "compile") and dotted not in self.defined:
            return f"builtins.{dotted}"
        return dotted

    def _taken(self, value: ast.AST) -> str:
        """What is taken out of a table of names: `globals()['x']()`, `sys.modules['os'].system`."""
        while isinstance(value, ast.Subscript):
            value = value.value
        inside = self.dotted(value.func) if isinstance(value, ast.Call) else self.dotted(value)
        tables = ("globals", "vars", "locals", "__builtins__", "sys.modules", "os.__dict__")
        return f"?{inside}" if inside in tables or inside.endswith("__dict__") else ""

    def dotted(self, node: ast.AST) -> str:
        """A name with its attributes, as it would be imported; empty for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        match node:
            case ast.Name(id=name):
                parts.append(self.aliases.get(name, name))
            case ast.Call(func=func, args=[ast.Constant(value=str() as name)]) if self.dotted(
                func
            ) in ("__import__", "importlib.import_module"):
                parts.append(name)
            case ast.Subscript(value=table, slice=ast.Constant(value=str() as name)) if (
                self.dotted(table) == "sys.modules"
            ):
                parts.append(name)
            case _:
                return ""
        return ".".join(reversed(parts))


def _is_main(node: ast.AST) -> bool:
    """Whether it is `if __name__ == '__main__':`, which no import runs."""
    match node:
        case ast.If(
            test=ast.Compare(
                left=ast.Name(id="__name__"),
                ops=[ast.Eq()],
                comparators=[ast.Constant(value="__main__")],
            ),
            orelse=[],
        ):
            return True
    return False


def byte_code(place: Place) -> Iterator[Found]:
    """Byte code of Python: a `.pyc` file, or a code object that `marshal` wrote."""
    head = place.region.head(44)
    number = int.from_bytes(head[:2], "little")
    compiled = head[2:4] == b"\r\n" and 3000 <= number < 4000 and _is_code(head[16:])
    marshalled = _is_code(head)
    if not compiled and not marshalled:
        if place.name.endswith((".pyc", ".pyo")):
            raise NotRead("it is byte code of a form that cannot be told")
        return
    region = place.region
    named = _NAMES_IN_BYTE_CODE.search(region.data, region.start, region.end)
    if named:
        what = f"is byte code that names {named[1].decode()}"
        yield Found("critical", what, "importing or loading it may run that; no source says how")
    else:
        yield Found("high", "is byte code", "it runs in place of any source, and cannot be read")


def _is_code(head: bytes) -> bool:
    """Whether `marshal` wrote a code object: three counts, then five or six numbers, then bytes."""
    counts = head[2:5] + head[6:9] + head[10:13]
    return head[:1] in (b"\xe3", b"c") and not any(counts) and bool({*head[21:26:4]} & {0x73, 0xF3})


def path_file(place: Place) -> Iterator[Found]:
    """A `.pth` file of `site`, whose lines that begin with `import` every Python start runs."""
    if not place.name.endswith(".pth") or place.region.size > _MOST:
        return  # PyTorch's files go by that name too, and are archives or pickles
    if re.search(rb"(?m)^import[ \t]", place.region.head(_MOST)):
        yield Found("critical", "is a path file with code", "Python runs it when it starts")


def program(place: Place) -> Iterator[Found]:
    """Programs and libraries of machine code."""
    head = place.region.head(4)
    binary = head == b"\x7fELF" or head in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
    if binary or (head[:2] == b"MZ" and place.name.endswith((".dll", ".pyd", ".exe"))):
        yield Found("high", "is machine code", "nobody can tell what loading it does")
    elif head[:2] == b"#!" or place.name.endswith((".sh", ".bash", ".bat", ".cmd", ".ps1")):
        yield Found("medium", "is a script that a shell may run", "no model needs one to predict")
