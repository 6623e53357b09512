# The functions of every compiled variant. Arrays are C-contiguous and aligned; see the headers of src/cpp/npgfast for
# what each function computes.

from typing import TypedDict

class _BuildInfo(TypedDict):
    version: str
    isa: str
    compiler: str
    eigen: str
    fp_contract: str

# Choosing a variant (npgfast/_core/__init__.py)

def active_isa() -> str: ...
def available_isas() -> tuple[str, ...]: ...
def activate(isa: str) -> None: ...

# bind_build.cpp

def build_info() -> _BuildInfo: ...
