"""A client that openapi-typescript makes of the OpenAPI document compiles, and its types are those
of the values."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import typescript
from host import REPOSITORY, Host, bare

#: What an author writes: every line compiles, but those after `@ts-expect-error`, which must not.
CLIENT = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api";

type Replies = paths["/echo_tuple"]["post"]["responses"];
type Tuple = Replies[200]["content"]["application/json"]["result"];

// openapi-fetch 0.17 makes an array of a tuple, so it is taken from the document itself.
export function parts([first, second, third]: Tuple): string {
  return `${first + 1} ${second.length} ${!third}`;
}

const client = createClient<paths, "application/json">({ baseUrl: "http://127.0.0.1:8080" });

export async function calls(): Promise<void> {
  const { data, error } = await client.POST("/add", { body: { x: 1, y: 2 } });
  if (!data) {
    const failure: components["schemas"]["Failure"]["message"] | undefined = error?.message;
    throw new Error(failure);
  }
  console.log(data.result);
  // The other kind of success is a job, which `Prefer: respond-async` makes; it has no result.
  if (data.result != null) {
    const sum: number = data.result;
    // @ts-expect-error It is a number.
    const text: string = data.result;
    console.log(sum, text);
  } else if ("id" in data) {
    const state: components["schemas"]["JobState"] = data.state;
    console.log(state);
  }

  const query = { values: [1, 2.5, "NaN" as const] };
  const mean = await client.GET("/statistics/mean", { params: { query } });
  const value: number | "NaN" | "Infinity" | "-Infinity" | null | undefined = mean.data?.result;
  console.log(value);

  const text = await client.POST("/reverse", { body: { text: "abc" } });
  console.log(text.data?.result?.toUpperCase());

  const points = await client.POST("/echo_list_point", { body: { value: [{ x: 1, y: 2 }] } });
  for (const point of points.data?.result ?? []) {
    console.log(point.x, point.y);
    // @ts-expect-error There is no such field.
    console.log(point.z);
  }

  // @ts-expect-error An argument is missing.
  await client.POST("/add", { body: { x: 1 } });
  // @ts-expect-error There is no such procedure.
  await client.POST("/no_such_procedure", {});
}
"""

OPTIONS = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": [],
    },
    "files": ["client.ts", "book.ts", "api.d.ts"],
}


@pytest.mark.timeout(300)
def test_a_client_in_typescript_compiles(host: Host, tmp_path: Path) -> None:
    def run(script: str, *args: str) -> None:
        done = typescript.run(script, *args, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-5_000:]

    (tmp_path / "node_modules").symlink_to(typescript.MODULES)
    document = bare(host.request("GET", "/-/openapi.json"))
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "client.ts").write_text(CLIENT)
    chapter = (REPOSITORY / "docs" / "http.md").read_text()
    (example,) = re.findall(r"```ts\n(.*?)```", chapter, re.DOTALL)
    (tmp_path / "book.ts").write_text(example)
    (tmp_path / "tsconfig.json").write_text(json.dumps(OPTIONS))
    run("openapi-typescript/bin/cli.js", "openapi.json", "--output", "api.d.ts")
    run("typescript/bin/tsc", "--project", ".")
