#!/usr/bin/python3
"""Measures transformers at the work of `alt bench sampling` and `alt bench training`, and prints one JSON document with tokens per second.

Sampling is `generate`: random weights, prompts of 16 random tokens that differ, 20 new tokens in every row, sampled from the whole
distribution unless --top-p says otherwise. Tokens are the new ones. Training is the whole update of plain language modelling (mean NLL; no KL
and no entropy term, and no dropout, as alt bench has none): forward, backward, clipping at norm 1, fused AdamW; 8 rows of 64 tokens. In bfloat16
it is autocast over float32 weights, or with --bare-weights weights, gradients and moments are bfloat16, where float32 ones do not fit.

On a CPU every number of threads is measured in a process of its own and the best counts. Needs Python with torch and transformers; Debian's
torch is slow without libopenblas0-pthread or libopenblas0-openmp beside it.

    /usr/bin/python3 tests/Speed/transformers_speed.py
    /usr/bin/python3 tests/Speed/transformers_speed.py --device cuda --model gpt-j --dtype bfloat16 --batch 96
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

SHAPES = {
    "gpt2": ("gpt2", {}),
    "gpt2-large": ("gpt2", {"n_embd": 1280, "n_layer": 36, "n_head": 20}),
    "gpt-j": ("gptj", {}),
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--model", default="gpt2", choices=SHAPES)
    parser.add_argument("--work", nargs="+", default=["sampling", "training"], choices=["sampling", "training"])
    parser.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--batch", nargs="+", type=int, default=[32, 96], help="rows that sampling does at once")
    parser.add_argument("--prompt-tokens", type=int, default=16)
    parser.add_argument("--new-tokens", type=int, default=20)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--cache", default="dynamic", choices=["dynamic", "static"], help="generate's cache; a static one is compiled on a GPU")
    parser.add_argument("--training-batch", type=int, default=8)
    parser.add_argument("--training-tokens", type=int, default=64)
    parser.add_argument("--bare-weights", action="store_true", help="train in the dtype itself rather than with autocast over float32")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="on a CPU; the best counts")
    parser.add_argument("--rounds", type=int, default=5, help="measurements after one that warms up; the medians count")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def create(options, dtype):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    kind, shape = SHAPES[options.model]
    no_dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    torch.manual_seed(1)
    with torch.device(options.device):
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **no_dropout, **shape), dtype=dtype)


def timed(options, action):
    """Seconds of each round, the first one left out."""
    import torch
    seconds = []
    for _ in range(options.rounds + 1):
        start = time.perf_counter()
        action()
        if options.device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        print(f"  {seconds[-1]:.2f} s", file=sys.stderr)
    return seconds[1:]


def figures(work, dtype, threads, batch, tokens, seconds):
    return {
        "work": work, "dtype": dtype, "threads": threads, "batch": batch, "tokensPerSecond": round(tokens / statistics.median(seconds), 1),
        "seconds": [round(s, 3) for s in seconds],
    }


def sampling(options, dtype, threads):
    import torch
    model = create(options, getattr(torch, dtype)).eval()
    model.generation_config.pad_token_id = model.config.eos_token_id
    for batch in options.batch:
        ids = torch.randint(0, model.config.vocab_size, (batch, options.prompt_tokens), device=options.device)

        def generate():
            settings = {"cache_implementation": "static"} if options.cache == "static" else {}
            out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=True, top_p=options.top_p, top_k=0, use_cache=True,
                                 min_new_tokens=options.new_tokens, max_new_tokens=options.new_tokens, **settings)
            assert out.shape == (batch, options.prompt_tokens + options.new_tokens)

        print(f"sampling {dtype} batch {batch} threads {threads}", file=sys.stderr)
        yield figures("sampling", dtype, threads, batch, batch * options.new_tokens, timed(options, generate))


def training(options, dtype, threads):
    import torch
    kind = getattr(torch, dtype)
    if kind == torch.float16:
        return  # It needs a loss scaler, and no machine measured here prefers it to bfloat16.
    model = create(options, kind if options.bare_weights else torch.float32).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0, fused=True)
    shape = (options.training_batch, options.training_tokens + 1)

    def step():
        ids = torch.randint(0, model.config.vocab_size, shape, device=options.device)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(options.device, kind, enabled=kind != torch.float32 and not options.bare_weights):
            logits = model(input_ids=ids[:, :-1], use_cache=False).logits
        torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    print(f"training {dtype} threads {threads}", file=sys.stderr)
    yield figures("training", dtype, threads, options.training_batch, options.training_batch * options.training_tokens, timed(options, step))


def work(options):
    import torch
    if options.device == "cpu":
        torch.set_num_threads(options.threads[0])
    for dtype in options.dtype:
        for name in options.work:
            for result in {"sampling": sampling, "training": training}[name](options, dtype, options.threads[0]):
                print(json.dumps(result), flush=True)
            if options.device == "cuda":
                torch.cuda.empty_cache()


def measure(options):
    import torch
    import transformers
    results, load = [], os.getloadavg()
    for threads in options.threads if options.device == "cpu" else [1]:
        # OpenMP and BLAS read these once, at the start; idle threads that spin would take the other pool's cores. BLAS has all cores always.
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(os.cpu_count()), "OMP_WAIT_POLICY": "passive"}
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", "--threads", str(threads)]
        lines = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        results += [json.loads(line) for line in lines if line.startswith("{")]
    best = {}
    for result in results:
        key = " ".join(str(result[name]) for name in ("work", "dtype", "batch"))
        best[key] = max(best.get(key, 0), result["tokensPerSecond"])
    return {
        "device": torch.cuda.get_device_name() if options.device == "cuda" else f"{os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "torch": torch.__version__, "transformers": transformers.__version__, "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "loadBefore": [round(minutes, 2) for minutes in load],
        "model": options.model, "promptTokens": options.prompt_tokens, "newTokens": options.new_tokens, "topP": options.top_p, "cache": options.cache,
        "trainingTokens": options.training_tokens, "bareWeights": options.bare_weights, "best": best, "results": results,
    }


def main():
    options = parse()
    if options.worker:
        work(options)
    else:
        print(json.dumps(measure(options), indent=2))


if __name__ == "__main__":
    main()
