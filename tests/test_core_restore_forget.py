"""The memory of restoration's tables is given back, and taken again when a text needs it."""

import pkgutil
from importlib import import_module

import hongxing_crawler.core.restore as package
from hongxing_crawler.core.restore import restore
from hongxing_crawler.core.restore.forget import forget_tables

DAMAGED = (
    "會議(yì)強(qiáng)調(diào)黨(dǎng)員應(yīng)當(dāng)學(xué)習(xí)，開(kāi)展實(shí)際工作。"
)


def _remembered():
    """Count what each cached function of the package holds."""
    modules = [import_module(info.name) for info in _modules()]
    functions = [value for module in modules for value in vars(module).values()]
    return sum(f.cache_info().currsize for f in functions if hasattr(f, "cache_info"))


def _modules():
    return pkgutil.iter_modules(package.__path__, f"{package.__name__}.")


def test_nothing_is_remembered_and_the_same_is_found_again():
    before = restore(DAMAGED)
    assert _remembered()

    forget_tables()

    assert not _remembered()
    assert restore(DAMAGED) == before
    assert before.verdict != "clean"
