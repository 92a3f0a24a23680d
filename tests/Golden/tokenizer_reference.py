#!/usr/bin/python3
"""Writes tests/Golden/tokenizers: tiny tokenizers of the kinds that decoders are published with, and what Hugging Face's tokenizers makes of texts.

Needs Python with tokenizers, such as Debian sid's package python3-tokenizers (written with 0.23).

    /usr/bin/python3 tests/Golden/tokenizer_reference.py                  # writes tests/Golden/tokenizers
    /usr/bin/python3 tests/Golden/tokenizer_reference.py --check FOLDER   # whether FOLDER/NAME/tokenizer.json, saved by others, are the same

NAME/tokenizer.json is spelled as the models' own files are; expected.json has, for each of its `texts` and each NAME,
    ids        with special tokens read as such
    plain      with the text of special tokens read as text; other added tokens are found all the same
    template   ids with what the post-processor adds
    decoded    the text of ids; withoutSpecial: the same without special tokens
and rows of ids at random, as a generation may break off anywhere, with their text.
"""
import argparse
import json
import pathlib
import random
import shutil

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent / "tokenizers"

SENTENCES = [
    "The cat sat on the mat, and the dog slept beside it.", "It's raining; they've said it won't stop until we're home, and I'll wait.",
    "In 1984 there were 365 days, 12 months and 1024 small boats on the water.", "def area(width, height):\n    return width * height\n\n\nprint(area(3, 14))",
    "\tfor (int i = 0; i < 100; i++)\n\t{\n\t\tsum += values[i];\n\t}", "Le caf\u00e9 est ouvert \u00e0 midi, et la for\u00eat est tr\u00e8s calme en \u00e9t\u00e9.",
    "Der Fluss flie\u00dft \u00fcber gro\u00dfe Steine und f\u00fcnf Br\u00fccken.", "\u041a\u043e\u0448\u043a\u0430 \u0441\u0438\u0434\u0438\u0442 \u043d\u0430 \u043e\u043a\u043d\u0435 \u0438 \u0441\u043c\u043e\u0442\u0440\u0438\u0442 \u043d\u0430 \u0441\u043d\u0435\u0433.",
    "\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec\u53bb\u516c\u56ed\u6563\u6b65\u3002 \u4eca\u65e5\u306f\u5929\u6c17\u304c\u3044\u3044\u3067\u3059\u3002", "Prices rose by 3.5% to $1,250.00 (about \u20ac1,150) -- more than expected!",
    "Question: what is it?  Answer: it is what it was, and what it was is this.", "    if there is:\n        return this\n    else:\n        return that\n", "the the the that this then there these those them with within without",
]

# What makes tokenizers differ: white space, digits, contractions, scripts, composition, emoji, control characters, special tokens.
TEXTS = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n", "\n ", "\r\n", "\t", "a", " a", "a ", "  a  b   c    d", "the cat sat on the mat", "The  Cat\tsat\non\r\nthe mat.\n\n\n",
    "    return width * height\n        # a comment\n", " \n \n\n  \t x", "x" + " " * 30 + "y" + " " * 7, "it's IT'S they'Ve we'RE I'll I'LL don't 'tis ''s'' o'd 'm", "it\u2019s it'\u017f 'K\u212a",
    "0 1 12 123 1234 12345 1234567890", "3.14, 1,000,000 and 2e10; 0x1F; v1.2.3-rc4", "1st 22nd \u00bd \u00b2 \u2167 \u0663\u0664\u0665\u0666 \uff11\uff12\uff13\uff14", "abc123def4567 a1b22c333",
    "caf\u00e9 cafe\u0301 na\u00efve nai\u0308ve", "\u212bngstr\u00f6m \u00c5 A\u030a \u2126 \u212a \ufb01 \u1e9b\u0323", "\u1e69 s\u0323\u0307 s\u0307\u0323 q\u0307\u0323", "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab \uac00\u11a8",
    "\u041a\u043e\u0448\u043a\u0430 \u0439 \u0438\u0306 \u0451", "\u5929\u6c14\u5f88\u597d\u3002\u4eca\u65e5\u306f \U00020000 \uf900 \U0002f800", "\u0915\u094d\u0937\u093f \u0e01\u0e33 \u05e9\u05c1\u05dc \u0625\u0650\u0646\u0651",
    "\U0001f600", "\U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1eb\U0001f1f7", "a\u0301\u0301\u0301 e\u20dd \u0301x", "zero\u200bwidth soft\u00adhyphen \ufeffbom",
    "nbsp\u00a0wide\u3000line\u2028para\u2029ogham\u1680thin\u2009.", "\x0b\x0c\x1c\x1d\x85\u180e|\x0b x\x85y\x1cz", "\x00 \x07 \x7f \ufffd \ue000 \U0010ffff", "?!?... (!!) -- ///\n\n//\n ;;\r\n\r\n{}",
    " .\n.  \n!\n", "#include <a.h>\n\nint main() { return 0; }", "\tfor (;;)\n\t\t{\n\t}\n", "http://example.org/a_b?c=d&e=f#g user@example.org", "snake_case camelCase PascalCase SCREAMING_CASE kebab-case",
    "$5 + 3% = ~8^2 `x|y` \u20ac9 \u201cquoted\u201d \u2014 dash\u2026", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "the" * 20, "=" * 37, "\u2581the \u2581 \u2581\u2581", "\u2581", " \u2581a", "<0x41> <0x0A> <unk>",
    "<|endoftext|>", "the <|endoftext|> cat", "the<|endoftext|>cat<|endoftext|>", "<|im_start|>user\nthe cat<|im_end|>\n<|im_start|>assistant\n", "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nthe cat<|eot_id|>",
    "<s> the cat </s>", "<s>the cat</s><s>", "</s>", "<tool_call>\n{\"a\": 1}\n</tool_call>", "<|endoftext|", "<|endoftext|><|padding|>  <|padding|>", "xylophone xylophones Xylophone",
]

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def special(*texts):
    return [AddedToken(text, special=True, normalized=False) for text in texts]


def byte_level(normalizer, split, size):
    """The bytes and what is learned; a split of None is ByteLevel's own, GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False) if split is None else pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def gpt_neox():
    """As GPT-NeoX and Pythia: NFC, GPT-2's words, runs of spaces as added tokens that are not special."""
    tokenizer = byte_level(normalizers.NFC(), None, 400)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.add_special_tokens(special("<|endoftext|>", "<|padding|>"))
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)])
    return tokenizer


def llama3():
    """As Llama 3: words of the vocabulary are taken whole, digits by up to three."""
    tokenizer = byte_level(None, CONTRACTIONS + r"\p{N}{1,3}" + REST, 400)
    state = json.loads(tokenizer.to_str())
    state["model"]["ignore_merges"] = True
    state["model"]["vocab"]["\u0120xylophone"] = len(state["model"]["vocab"])      # no merge makes it
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens(special("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"))
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1", special_tokens=[("<|begin_of_text|>", begin)])])
    return tokenizer


def qwen2():
    """As Qwen2: NFC, each digit alone, some added tokens that are not special."""
    tokenizer = byte_level(normalizers.NFC(), CONTRACTIONS + r"\p{N}" + REST, 400)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in ("<tool_call>", "</tool_call>")])
    return tokenizer


def sentence_piece():
    """Pieces over characters, with a token for each byte for what has none."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    # For the training alone: without it a piece would span words, and with Metaspace's own split none would be of several spaces.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=False), pre_tokenizers.Split(Regex("\u2581+[^\u2581]*"), "isolated")])
    first = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=len(first) + 260, min_frequency=2, special_tokens=first, show_progress=False))
    state = json.loads(tokenizer.to_str())
    # Only these are special in the models' own files.
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    for token in state["added_tokens"]:
        token["normalized"] = False
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return tokenizer


def llama2():
    """As Llama 2: the mark of a word's start is put before every stretch of text between special tokens."""
    tokenizer = sentence_piece()
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = None
    state["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]}
    return Tokenizer.from_str(json.dumps(state))


def llama2_first():
    """As files converted without the legacy behaviour: the mark is put before the text's start alone."""
    tokenizer = sentence_piece()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="first", split=False)
    return tokenizer


TOKENIZERS = {"gpt-neox": gpt_neox, "llama-3": llama3, "qwen2": qwen2, "llama-2": llama2, "llama-2-first": llama2_first}


def encode(tokenizer, text, *, as_text=False, template=False):
    tokenizer.encode_special_tokens = as_text
    return tokenizer.encode(text, add_special_tokens=template).ids


def random_rows(tokenizer):
    numbers = random.Random(7)
    rows = [[numbers.randrange(tokenizer.get_vocab_size()) for _ in range(numbers.randrange(1, 9))] for _ in range(40)]
    # Characters of several bytes, broken off.
    return rows + [row[:n] for row in map(lambda text: encode(tokenizer, text), ("\U0001f600\U0001f44d", "q\u20dd\u1e9b")) for n in range(1, len(row))]


def expected(tokenizer, rows):
    ids = [encode(tokenizer, text) for text in TEXTS]
    return {
        "ids": ids, "plain": [encode(tokenizer, text, as_text=True) for text in TEXTS], "template": [encode(tokenizer, text, template=True) for text in TEXTS],
        "decoded": [tokenizer.decode(row, skip_special_tokens=False) for row in ids], "withoutSpecial": [tokenizer.decode(row) for row in ids],
        "rows": rows, "rowsDecoded": [tokenizer.decode(row, skip_special_tokens=False) for row in rows],
    }


def check(folder):
    """Prints what the tokenizers of a folder read or write otherwise than those that they are copies of."""
    values, differences, names = json.loads((HERE / "expected.json").read_text()), 0, [name for name in TOKENIZERS if (folder / name).exists()]
    for name in names:
        found = expected(Tokenizer.from_file(str(folder / name / "tokenizer.json")), values[name]["rows"])
        for kind, rows in values[name].items():
            for i, (before, after) in enumerate(zip(rows, found[kind])):
                if before != after:
                    differences += 1
                    print(f"{name} {kind} {i}: {before!r} became {after!r}")
    print(f"{len(names)} tokenizers, {differences} differences")
    return 0 if names and not differences else 1


def write():
    shutil.rmtree(HERE, ignore_errors=True)
    values = {"texts": TEXTS}
    for name, create in TOKENIZERS.items():
        (HERE / name).mkdir(parents=True)
        tokenizer = create()
        tokenizer.save(str(HERE / name / "tokenizer.json"))
        values[name] = expected(tokenizer, random_rows(tokenizer))
    (HERE / "expected.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", type=pathlib.Path, metavar="FOLDER")
    folder = parser.parse_args().check
    return check(folder) if folder else write()


if __name__ == "__main__":
    raise SystemExit(main())
