#!/usr/bin/python3
"""Writes tests/Golden/decoders: tiny random decoders of each architecture, and what transformers makes of token ids.

The checkpoints are as transformers saves them; logits, hidden states, gradients and greedy continuations are its own, in single precision
with eager attention. Needs Python with torch and transformers, such as Debian sid's packages python3-torch and python3-transformers
(written with transformers 5.12, torch 2.14).

    /usr/bin/python3 tests/Golden/decoder_reference.py                  # writes tests/Golden/decoders
    /usr/bin/python3 tests/Golden/decoder_reference.py --check FOLDER   # loads any checkpoint and prints the logits of the same ids

Each folder has its checkpoint, expected.json and expected.safetensors (B sequences, T positions, C width, V vocabulary; right padding):
    ids (B, T), logits (B, T, V), logits_bf16 (B, T, V)   the latter by the model in bfloat16 throughout, stored as float32
    hidden.0 (B, T, C)     the embeddings
    hidden.i (B, T, C)     after block i; the last one is after the final norm too, as transformers gives it
    grad.NAME              of the summed NLL of the response tokens, by the checkpoint's names; a tied head is in its embedding's
What stands at padding is zero.

transformers 5 writes config.json with `dtype` and `rope_parameters`, where all before wrote `torch_dtype`, `rope_theta`, `rope_scaling`,
`rotary_pct` and `rotary_emb_base`. The folders have the new spelling, save three with the old one: gpt-neox-sequential; llama-3/older, beside
the same weights in several files with an index; gptj/older, with the weights as pytorch_model.bin and the buffers of old releases among them.
"""
import argparse
import itertools
import json
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, GPTJConfig, GPTJForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM,
    LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, logging)

HERE = pathlib.Path(__file__).parent / "decoders"
VOCABULARY, POSITIONS, CONTINUATION = 96, 64, 8

# Prompt and response; lengths differ, so that the second row is padded.
SEQUENCES = [
    ([5, 17, 91, 42, 8, 63, 30, 77, 2], [11, 54, 88, 3, 70]),
    ([33, 90, 14], [61, 9, 25, 48]),
]


def gptj():
    return GPTJForCausalLM(GPTJConfig(
        vocab_size=VOCABULARY, n_positions=POSITIONS, n_embd=32, n_layer=2, n_head=4, rotary_dim=4, bos_token_id=0, eos_token_id=0))


def gpt_neox(parallel, tied, rotary):
    return GPTNeoXForCausalLM(GPTNeoXConfig(
        vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=64,
        use_parallel_residual=parallel, tie_word_embeddings=tied, bos_token_id=0, eos_token_id=0,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": rotary}))


LLAMA = {
    "vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 48, "bos_token_id": 1, "eos_token_id": 2,
}


def llama():
    return LlamaForCausalLM(LlamaConfig(**LLAMA, rms_norm_eps=1e-5, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))


def llama3():
    """Wavelengths of 6 to 198 positions: one frequency is kept, two are between, the others are divided by the factor."""
    return LlamaForCausalLM(LlamaConfig(**LLAMA | {"max_position_embeddings": 4 * POSITIONS}, head_dim=16, tie_word_embeddings=True, rms_norm_eps=1e-5, rope_parameters={
        "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": POSITIONS}))


def qwen2():
    return Qwen2ForCausalLM(Qwen2Config(**LLAMA, tie_word_embeddings=True, rms_norm_eps=1e-6, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}))


def gpt2():
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=VOCABULARY, n_positions=POSITIONS, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0))


# Model, and the type that the checkpoint is stored in.
MODELS = {
    "gpt2": (gpt2, torch.float32),
    "gptj": (gptj, torch.float32),
    "gpt-neox": (lambda: gpt_neox(parallel=True, tied=False, rotary=0.25), torch.float32),
    "gpt-neox-sequential": (lambda: gpt_neox(parallel=False, tied=True, rotary=0.5), torch.float16),
    "llama": (llama, torch.float32),
    "llama-3": (llama3, torch.float32),
    "qwen2": (qwen2, torch.bfloat16),
}


def randomise(model, seed):
    """Weights that are all of consequence: norms far from 1, biases far from 0, attention far from even."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            norm = weight.dim() == 1 and name.endswith("weight")
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.15 + (1 if norm else 0))
    return model.eval()


def batch():
    """ids and mask (B, T), and row, position and token of each response token's prediction."""
    rows = [prompt + response for prompt, response in SEQUENCES]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    predictions = [(b, len(prompt) - 1 + t, token) for b, (prompt, response) in enumerate(SEQUENCES) for t, token in enumerate(response)]
    return ids, mask, predictions


def load(folder, dtype=torch.float32):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def forward(model, **options):
    ids, mask, _ = batch()
    return model(input_ids=ids, attention_mask=mask, use_cache=False, **options)


def unpadded(values):
    return (values.detach().float() * batch()[1][..., None]).contiguous()


def negative_log_likelihood(logits):
    return -sum(logits[b, t].log_softmax(-1)[token] for b, t, token in batch()[2])


def greedy(model):
    """Continuations, and the least lead of a chosen token over the next."""
    model.generation_config.eos_token_id = None
    rows, lead = [], float("inf")
    for prompt, _ in SEQUENCES:
        ids = list(prompt)
        for _ in range(CONTINUATION):
            best = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].topk(2)
            lead = min(lead, (best.values[0] - best.values[1]).item())
            ids.append(best.indices[0].item())
        generated = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                                   do_sample=False, max_new_tokens=CONTINUATION, pad_token_id=0)
        assert generated[0].tolist() == ids, "generate's cache changes the continuation"
        rows.append(ids[len(prompt):])
    return rows, lead


def write_checkpoint(folder, create, dtype):
    """The first seed with which no rounding changes a greedy choice."""
    for seed in itertools.count(1):
        randomise(create(), seed).to(dtype).save_pretrained(folder)
        if greedy(load(folder))[1] > 0.01:
            return


def write_expected(folder):
    model = load(folder)
    out = forward(model, output_hidden_states=True)
    assert torch.equal(model.get_output_embeddings()(out.hidden_states[-1]), out.logits), "the last hidden state is not the normed one"
    nll = negative_log_likelihood(out.logits)
    nll.backward()
    half = forward(load(folder, torch.bfloat16)).logits
    tensors = {"ids": batch()[0], "logits": unpadded(out.logits), "logits_bf16": unpadded(half)}
    tensors |= {f"hidden.{i}": unpadded(hidden) for i, hidden in enumerate(out.hidden_states)}
    tensors |= {"grad." + name: weight.grad for name, weight in model.named_parameters()}
    assert all(t.abs().max() > 1e-3 for name, t in tensors.items() if name.startswith("grad.")), "a weight without effect"
    save_file(tensors, folder / "expected.safetensors", {"format": "pt"})
    continuations, lead = greedy(model)
    values = {
        "sequences": [{"prompt": p, "response": r, "greedy": g} for (p, r), g in zip(SEQUENCES, continuations)],
        "nll": nll.item(), "greedyLead": lead, "largestLogit": tensors["logits"].abs().max().item(),
        "bf16Difference": (tensors["logits"] - tensors["logits_bf16"]).abs().max().item(),
    }
    (folder / "expected.json").write_text(json.dumps(values, indent=2) + "\n")
    return values


def respell_gpt_neox(folder):
    """As Pythia's config.json is spelled."""
    config = older_spelling(folder)
    rope = config.pop("rope_parameters")
    write_config(folder, config | {"rotary_pct": rope["partial_rotary_factor"], "rotary_emb_base": int(rope["rope_theta"])})


def write_older_llama3():
    """The same model as users have it: older names in config.json, several files of weights."""
    older = HERE / "llama-3" / "older"
    load(HERE / "llama-3").save_pretrained(older, max_shard_size="40KB")
    config = older_spelling(older)
    rope = config.pop("rope_parameters")
    write_config(older, config | {"rope_theta": rope.pop("rope_theta"), "rope_scaling": rope})


def write_older_gptj():
    """As GPT-J's authors have it: a pickle with each block's causal mask and the masked score."""
    older = HERE / "gptj" / "older"
    older.mkdir()
    weights = load_file(HERE / "gptj" / "model.safetensors")
    for i in range(2):
        weights[f"transformer.h.{i}.attn.bias"] = torch.ones(POSITIONS, POSITIONS, dtype=torch.uint8).tril()[None, None]
        weights[f"transformer.h.{i}.attn.masked_bias"] = torch.tensor(-1e9)
    torch.save(weights, older / "pytorch_model.bin")
    write_config(older, older_spelling(HERE / "gptj"))


def older_spelling(folder):
    config = json.loads((folder / "config.json").read_text())
    return config | {"torch_dtype": config.pop("dtype"), "transformers_version": "4.45.2"}


def write_config(folder, config):
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def write():
    shutil.rmtree(HERE, ignore_errors=True)
    for name, (create, dtype) in MODELS.items():
        write_checkpoint(HERE / name, create, dtype)
        print(name, json.dumps(write_expected(HERE / name)))
    respell_gpt_neox(HERE / "gpt-neox-sequential")
    write_older_llama3()
    write_older_gptj()
    for older, name in (("gpt-neox-sequential", "gpt-neox-sequential"), ("llama-3/older", "llama-3"), ("gptj/older", "gptj")):
        assert torch.equal(unpadded(forward(load(HERE / older)).logits), load_file(HERE / name / "expected.safetensors")["logits"]), older


def check(folder):
    """Loads a checkpoint of whatever origin; fails where transformers misses a weight or knows one not."""
    model, loading = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    logits = unpadded(forward(model.eval()).logits)
    loading = {name: sorted(map(str, loading[name])) for name in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    expected = folder / "expected.safetensors"
    difference = (logits - load_file(expected)["logits"]).abs().max().item() if expected.exists() else None
    print(json.dumps({"model": type(model).__name__, **loading, "ids": batch()[0].tolist(), "difference": difference, "logits": logits.tolist()}))
    return 1 if any(loading.values()) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", type=pathlib.Path, metavar="FOLDER", help="print the logits of a checkpoint, and their distance from an expected.safetensors beside it")
    folder = parser.parse_args().check
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return check(folder) if folder else write()


if __name__ == "__main__":
    raise SystemExit(main())
