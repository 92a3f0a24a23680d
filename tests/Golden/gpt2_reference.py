#!/usr/bin/python3
"""Writes the golden values of tests/Activities/Model: a tiny random GPT-2 with its logits, the conditional loss and all gradients.

Forward and backward are written by hand in double precision with numpy alone, so that they share nothing with libtorch. The backward
pass is checked against finite differences before anything is written.

    /usr/bin/python3 tests/Golden/gpt2_reference.py        # writes tests/Golden/gpt2-tiny

Axes: B sequences, T positions, C width, H heads, D = C / H, V vocabulary.
"""
import json
import pathlib
import struct

import numpy as np

V, V0, P, C, L, H = 17, 15, 12, 12, 2, 3     # V0: the reference's vocabulary, which lacks two added tokens
D = C // H
EPS = 1e-5
BETA, ALPHA = 0.05, 0.06

# (feedback, prompt, response): lengths differ, so that rows are padded.
EXAMPLES = [([15, 16], [1, 2, 3], [4, 5, 14]), ([16], [7, 8], [9, 10, 11, 12, 14]), ([], [6], [13])]


def shapes(vocabulary):
    yield "transformer.wte.weight", (vocabulary, C)
    yield "transformer.wpe.weight", (P, C)
    for i in range(L):
        h = f"transformer.h.{i}."
        for name in ("ln_1", "ln_2"):
            yield h + name + ".weight", (C,)
            yield h + name + ".bias", (C,)
        for name, shape in (("attn.c_attn", (C, 3 * C)), ("attn.c_proj", (C, C)), ("mlp.c_fc", (C, 4 * C)), ("mlp.c_proj", (4 * C, C))):
            yield h + name + ".weight", shape
            yield h + name + ".bias", shape[1:]
    yield "transformer.ln_f.weight", (C,)
    yield "transformer.ln_f.bias", (C,)


def random_weights(vocabulary, seed):
    """Weights far from the usual small ones, so that no term is lost in rounding; kept in single precision as a checkpoint keeps them."""
    rng = np.random.default_rng(seed)
    return {
        name: (rng.normal(0, 0.3, shape) + (1 if ".ln_" in name and name.endswith("weight") else 0)).astype(np.float32).astype(np.float64)
        for name, shape in shapes(vocabulary)
    }


def layer_norm(x, weight, bias):
    mean = x.mean(-1, keepdims=True)
    scale = 1 / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + EPS)
    normal = (x - mean) * scale
    return normal * weight + bias, (normal, scale, weight)


def layer_norm_backward(dy, cache):
    normal, scale, weight = cache
    dn = dy * weight
    dx = scale * (dn - dn.mean(-1, keepdims=True) - normal * (dn * normal).mean(-1, keepdims=True))
    axes = tuple(range(dy.ndim - 1))
    return dx, (dy * normal).sum(axes), dy.sum(axes)


def linear_backward(dy, x, weight):
    flat_x, flat_dy = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dy @ weight.T, flat_x.T @ flat_dy, flat_dy.sum(0)


GELU = np.sqrt(2 / np.pi)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(GELU * (x + 0.044715 * x**3)))


def gelu_backward(dy, x):
    t = np.tanh(GELU * (x + 0.044715 * x**3))
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * GELU * (1 + 3 * 0.044715 * x**2))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def heads(x):                                                   # (B, T, C) -> (B, H, T, D)
    return x.reshape(*x.shape[:2], H, D).transpose(0, 2, 1, 3)


def unheads(x):                                                 # (B, H, T, D) -> (B, T, C)
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], C)


def forward(w, ids):
    """ids (B, T) -> logits (B, T, V), and what the backward pass needs."""
    T = ids.shape[1]
    x = w["transformer.wte.weight"][ids] + w["transformer.wpe.weight"][:T]
    blocks = []
    for i in range(L):
        h = f"transformer.h.{i}."
        n1, c1 = layer_norm(x, w[h + "ln_1.weight"], w[h + "ln_1.bias"])
        q, k, v = (heads(part) for part in np.split(n1 @ w[h + "attn.c_attn.weight"] + w[h + "attn.c_attn.bias"], 3, -1))
        scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D)
        p = softmax(np.where(np.tril(np.ones((T, T), bool)), scores, -np.inf))
        a = unheads(p @ v)
        x1 = x + a @ w[h + "attn.c_proj.weight"] + w[h + "attn.c_proj.bias"]
        n2, c2 = layer_norm(x1, w[h + "ln_2.weight"], w[h + "ln_2.bias"])
        f = n2 @ w[h + "mlp.c_fc.weight"] + w[h + "mlp.c_fc.bias"]
        x2 = x1 + gelu(f) @ w[h + "mlp.c_proj.weight"] + w[h + "mlp.c_proj.bias"]
        blocks.append((n1, c1, q, k, v, p, a, n2, c2, f))
        x = x2
    n, c = layer_norm(x, w["transformer.ln_f.weight"], w["transformer.ln_f.bias"])
    return n @ w["transformer.wte.weight"].T, (ids, blocks, n, c)


def backward(w, cache, dlogits):
    ids, blocks, n, c = cache
    g = {}
    g["transformer.wte.weight"] = np.einsum("btv,btc->vc", dlogits, n)
    dx, g["transformer.ln_f.weight"], g["transformer.ln_f.bias"] = layer_norm_backward(dlogits @ w["transformer.wte.weight"], c)
    for i in reversed(range(L)):
        h = f"transformer.h.{i}."
        n1, c1, q, k, v, p, a, n2, c2, f = blocks[i]

        def linear(name, dy, inputs):
            d, g[h + name + ".weight"], g[h + name + ".bias"] = linear_backward(dy, inputs, w[h + name + ".weight"])
            return d

        def norm(name, dy, inputs):
            d, g[h + name + ".weight"], g[h + name + ".bias"] = layer_norm_backward(dy, inputs)
            return d

        df = gelu_backward(linear("mlp.c_proj", dx, gelu(f)), f)
        dx = dx + norm("ln_2", linear("mlp.c_fc", df, n2), c2)
        da = heads(linear("attn.c_proj", dx, a))
        dp = da @ v.transpose(0, 1, 3, 2)
        dscores = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(D)
        dqkv = np.concatenate([unheads(dscores @ k), unheads(dscores.transpose(0, 1, 3, 2) @ q), unheads(p.transpose(0, 1, 3, 2) @ da)], -1)
        dx = dx + norm("ln_1", linear("attn.c_attn", dqkv, n1), c1)
    g["transformer.wpe.weight"] = np.zeros((P, C))
    g["transformer.wpe.weight"][: ids.shape[1]] = dx.sum(0)
    np.add.at(g["transformer.wte.weight"], ids, dx)
    return g


def padded(rows):
    """Inputs without the last token, padded on the right; (row, position, token) of each response token's prediction."""
    T = max(len(i) + len(r) for i, r in rows) - 1
    ids = np.zeros((len(rows), T), int)
    predictions = []
    for b, (inputs, response) in enumerate(rows):
        tokens = inputs + response
        ids[b, : len(tokens) - 1] = tokens[:-1]
        predictions += [(b, len(inputs) - 1 + t, token) for t, token in enumerate(response)]
    return ids, predictions


def loss(policy, reference):
    """Token mean of NLL + beta * KL(reference || policy) - alpha * entropy; the reference reads no feedback."""
    ids, predictions = padded([(f + x, y) for f, x, y in EXAMPLES])
    reference_ids, reference_predictions = padded([(x, y) for _, x, y in EXAMPLES])
    logits, cache = forward(policy, ids)
    reference_logits, _ = forward(reference, reference_ids)
    dlogits = np.zeros_like(logits)
    nll = kl = entropy = 0.0
    for (b, t, token), (rb, rt, _) in zip(predictions, reference_predictions):
        z = logits[b, t]
        p, q, p0 = softmax(z), softmax(z[:V0]), softmax(reference_logits[rb, rt])
        h = -(p * np.log(p)).sum()
        nll -= np.log(p[token])
        kl += (p0 * (np.log(p0) - np.log(q))).sum()
        entropy += h
        d = p + ALPHA * p * (np.log(p) + h)
        d[token] -= 1
        d[:V0] += BETA * (q - p0)
        dlogits[b, t] = d / len(predictions)
    n = len(predictions)
    parts = {"nll": nll / n, "kl": kl / n, "entropy": entropy / n}
    parts["loss"] = parts["nll"] + BETA * parts["kl"] - ALPHA * parts["entropy"]
    return parts, backward(policy, cache, dlogits), ids, logits


def check(policy, reference, gradients):
    rng = np.random.default_rng(5)
    for name, weight in policy.items():
        for _ in range(4):
            at = tuple(rng.integers(0, size) for size in weight.shape)
            old, step = weight[at], 1e-6
            weight[at] = old + step
            up = loss(policy, reference)[0]["loss"]
            weight[at] = old - step
            down = loss(policy, reference)[0]["loss"]
            weight[at] = old
            numeric = (up - down) / (2 * step)
            assert abs(numeric - gradients[name][at]) < 1e-7 + 1e-5 * abs(numeric), (name, at, numeric, gradients[name][at])


def save(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in sorted(tensors.items()):
        raw = np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": {"float32": "F32", "float64": "F64", "int64": "I64"}[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def save_model(folder, weights, vocabulary, prefix):
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new", "vocab_size": vocabulary, "n_positions": P,
        "n_embd": C, "n_layer": L, "n_head": H, "layer_norm_epsilon": EPS, "eos_token_id": 14,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save(folder / "model.safetensors", {name.removeprefix(prefix): w.astype(np.float32) for name, w in weights.items()})


def main():
    here = pathlib.Path(__file__).parent / "gpt2-tiny"
    policy, reference = random_weights(V, 1), random_weights(V0, 2)
    parts, gradients, ids, logits = loss(policy, reference)
    check(policy, reference, gradients)
    save_model(here / "policy", policy, V, "")
    # As the checkpoints of the GPT-2 authors have it, without the prefix.
    save_model(here / "reference", reference, V0, "transformer.")
    save(here / "expected.safetensors", {"ids": ids.astype(np.int64), "logits": logits} | {"grad." + name: g for name, g in gradients.items()})
    parts |= {"beta": BETA, "alpha": ALPHA, "examples": [{"feedback": f, "prompt": x, "response": y} for f, x, y in EXAMPLES]}
    (here / "expected.json").write_text(json.dumps(parts, indent=2) + "\n")


main()
