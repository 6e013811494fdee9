"""dvc.yaml names all code that decides a stage's output: what the stage imports, directly or through others."""

import ast

import pytest
import yaml

# What a stage may import without being made stale by it, and why.
PLUMBING = {
    "pipeline/config.py": "holds no values: each setting is in params.yaml",
    "pipeline/names.py": "the words that params.yaml chooses from",
    "pipeline/errors.py": "words for the terminal",
    "pipeline/files.py": "how files are written, not what is in them",
    "pipeline/guard.py": "how a command ends",
    "pipeline/plain_yaml.py": "how YAML is read, not what is in it",
    "pipeline/stages/entry.py": "how a stage starts, and where files lie",
    "pipeline/lock.py": "who may train",
    "pipeline/stages/run_results.py": "a change in logging must not train anew",
    "pipeline/tracking": "a change in logging must not train anew",
}
RECORDS_IN_MLFLOW = {"register": "pipeline/tracking"}  # Here it is the output.

STAGES = ("download", "validate_records", "segment", "validate_beats", "split", "train", "evaluate", "register")


def declared(root):
    return yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def imported(root, path):
    """The files of `pipeline` that the file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if file_of(root, name) else node.module for name in names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "pipeline":
                yield file_of(root, name) or pytest.fail(f"{path}: imports {name}, which is not there")


def file_of(root, module):
    place = root.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()), None)


def is_in(name, entries):
    return any(name == entry or name.startswith(f"{entry}/") for entry in entries)


def decides(root, stage):
    """The stage's module and all that it imports, without the plumbing, by path from the root."""
    plumbing = set(PLUMBING) - {RECORDS_IN_MLFLOW.get(stage)}
    found, waiting = set(), [root / "pipeline" / "stages" / f"{stage}.py"]
    while waiting:
        path = waiting.pop()
        name = path.relative_to(root).as_posix()
        if name in found or is_in(name, plumbing):
            continue
        found.add(name)
        waiting += imported(root, path)
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs(pytestconfig, stage):
    root = pytestconfig.rootpath
    deps = declared(root)[stage]["deps"]
    needed = decides(root, stage)
    assert sorted(name for name in needed if not is_in(name, deps)) == []
    code = [dep for dep in deps if dep.startswith("pipeline/")]
    assert [dep for dep in code if not any(is_in(name, [dep]) for name in needed)] == []


def test_every_stage_is_walked(pytestconfig):
    assert set(declared(pytestconfig.rootpath)) == set(STAGES)


def test_dvc_removes_no_output_before_its_stage_has_made_the_next(pytestconfig):
    outs = [out for stage in declared(pytestconfig.rootpath).values() for out in stage["outs"]]
    assert [out for out in outs if not (isinstance(out, dict) and all(each["persist"] for each in out.values()))] == []


def test_the_walk_sees_lazy_imports_packages_and_what_they_import(pytestconfig):
    root = pytestconfig.rootpath
    assert {"pipeline/model/lstm.py", "pipeline/ecg/rows.py"} <= decides(root, "train")
    assert {"pipeline/sources/kaggle_csv.py", "pipeline/ecg/aami.py"} <= decides(root, "segment")
    assert {"pipeline/evaluation/figures.py"} <= decides(root, "evaluate")
    assert {"pipeline/ecg/synthetic/drift.py"} <= decides(root, "download")
