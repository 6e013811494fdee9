"""The plumbing of Great Expectations: frame and suite in, results out, Data Docs as HTML."""

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.expectation import Expectation

from pipeline.files import disk_error


def wording(name: str, says: str, why: str = "", severity: str = "critical") -> dict[str, Any]:
    """The arguments that all expectations share: a stable name, plain English, the severity.

    Args:
        name: how reports and summaries call it.
        says: the sentence that Data Docs and error messages show; no dollar signs.
        why: a note in the Data Docs on where a limit is from.
        severity: `critical` stops the pipeline, `warning` is shown and kept.
    """
    return {
        "meta": {"name": name, "says": says},
        "description": says if severity == "critical" else f"{says} (Otherwise: a {severity}.)",
        "notes": why or None,
        "severity": severity,
    }


def run_suite(
    name: str, expectations: Sequence[Expectation], frame: pd.DataFrame, docs_folder: Path
) -> ExpectationSuiteValidationResult:
    """Judge `frame` by `expectations` and put the Data Docs of this run in place of `docs_folder`.

    Args:
        name: what the suite is called in the Data Docs.
        frame: its index labels each row in the results and in the Data Docs.
        docs_folder: becomes a site of its own, opened at `index.html`; what was there goes.

    Raises UserError when the Data Docs cannot be written.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    try:
        docs_folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".docs-", dir=docs_folder.parent) as temporary:
            site = Path(temporary) / docs_folder.name
            context = _quiet_context(site)
            result = _validate(context, name, expectations, frame)
            context.build_data_docs()
            if docs_folder.exists():
                shutil.rmtree(docs_folder)
            os.replace(site, docs_folder)
    except OSError as error:
        raise disk_error(docs_folder, error) from error
    return result


def _quiet_context(site: Path) -> AbstractDataContext:
    """A context that keeps nothing but the Data Docs in `site` and prints nothing."""
    docs = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(site.absolute()),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={"docs": docs},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _validate(
    context: AbstractDataContext,
    name: str,
    expectations: Sequence[Expectation],
    frame: pd.DataFrame,
) -> ExpectationSuiteValidationResult:
    """Run the suite.

    Rows are named by the frame's own index, without a name: a named one, as well as
    `unexpected_index_column_names`, builds a dict a row, cell by cell, which takes ten times as
    long on a frame whose every row offends.
    """
    asset = context.data_sources.add_pandas("heartbeat").add_dataframe_asset(name)
    definition = gx.ValidationDefinition(
        name=name,
        data=asset.add_batch_definition_whole_dataframe("all rows"),
        suite=context.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations))),
    )
    return context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame.rename_axis(index=None)},
        result_format={"result_format": "COMPLETE", "return_unexpected_index_query": False},
    )
