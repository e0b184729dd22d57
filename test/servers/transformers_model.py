"""Writes a model of one layer that needs no training, for transformers: FOLDER. Attention and feed-forward are zero, so that each
token decides by itself which one follows."""

import sys

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

folder = sys.argv[1]
HELLO = ["Hello", "from", "a", "tiny", "model."]
words = ["<unk>", "<s>", "</s>", "<|say|>", "<|sing|>", *HELLO, "la", "li"]
following = {"<|say|>": "Hello", **dict(zip(HELLO, [*HELLO[1:], "</s>"])), "<|sing|>": "la", "la": "li", "li": "la"}
WIDTH = 64
config = LlamaConfig(
    vocab_size=len(words),
    hidden_size=WIDTH,
    intermediate_size=16,
    num_hidden_layers=1,
    num_attention_heads=4,
    max_position_embeddings=512,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=2,
    tie_word_embeddings=False,
)
model = LlamaForCausalLM(config)
with torch.no_grad():
    for name, weight in model.named_parameters():
        weight.fill_(1.0 if "norm" in name else 0.0)
    for token, word in enumerate(words):
        model.model.embed_tokens.weight[token, token] = 1.0
        model.lm_head.weight[words.index(following.get(word, "</s>")), token] = 20.0
# As it is set, so that nothing is left to chance.
model.generation_config.do_sample = False
model.save_pretrained(folder)

tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
fast = PreTrainedTokenizerFast(
    tokenizer_object=tokenizer,
    unk_token="<unk>",
    bos_token="<s>",
    eos_token="</s>",
    additional_special_tokens=["<|say|>", "<|sing|>"],
)
fast.chat_template = (
    "{%- set ns = namespace(end='<|say|>', said='') -%}"
    "{%- for message in messages -%}{%- set ns.said = message.content -%}{{ message.content }} {% endfor -%}"
    "{%- if 'Sing.' in (ns.said | string) %}{% set ns.end = '<|sing|>' %}{% endif -%}{{ ns.end }}"
)
fast.save_pretrained(folder)
