#!/usr/bin/env python3
"""The peer of `hadal bench train`: the same model in plain PyTorch eager code, trained on random tokens.

    /usr/bin/python3 bench/peers/train_peer.py bench/shapes/train.json --precision fp32 --steps 4

Prints one JSON line: tokens per second of each step, their median, and the peak memory. Reads the run file's model and batch; needs no data.
Debian: apt-get install python3-torch libopenblas0-openmp (without OpenBLAS its FP32 products run on the reference BLAS and take many times as long).

--precision  fp32; bf16: weights FP32, autocast to bfloat16; bf16-weights: weights, gradients and moments bfloat16
--micro      sequences at a time; 0 for the whole batch, as one writes it where memory suffices
"""
import argparse
import contextlib
import json
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class RmsNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        scale = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.eps)
        return (x.float() * scale).type_as(x) * self.weight


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


def rotate(x, cos, sin):
    """Interleaved pairs; x is [batch, length, heads, rope]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.nope, self.rope, self.value = c["num_attention_heads"], c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]
        self.rank = c["kv_lora_rank"]
        hidden, query_rank, width = c["hidden_size"], c["q_lora_rank"], self.heads * (self.nope + self.rope)
        if query_rank:
            self.query = nn.Sequential(linear(hidden, query_rank), RmsNorm(query_rank, 1e-6), linear(query_rank, width))
        else:
            self.query = linear(hidden, width)
        self.latent_down = linear(hidden, self.rank + self.rope)
        self.latent_norm = RmsNorm(self.rank, 1e-6)
        self.latent_up = linear(self.rank, self.heads * (self.nope + self.value))
        self.output = linear(self.heads * self.value, hidden)

    def forward(self, x, cos, sin, mask):
        batch, length, _ = x.shape
        q_nope, q_rope = self.query(x).view(batch, length, self.heads, -1).split((self.nope, self.rope), -1)
        latent, k_rope = self.latent_down(x).split((self.rank, self.rope), -1)
        k_nope, value = self.latent_up(self.latent_norm(latent)).view(batch, length, self.heads, -1).split((self.nope, self.value), -1)
        k_rope = rotate(k_rope.unsqueeze(2), cos, sin).expand(-1, -1, self.heads, -1)
        q = torch.cat((q_nope, rotate(q_rope, cos, sin)), -1).transpose(1, 2)
        k = torch.cat((k_nope, k_rope), -1).transpose(1, 2)
        scores = q @ k.transpose(-1, -2) * (self.nope + self.rope) ** -0.5 + mask
        probabilities = scores.softmax(-1).type_as(value)
        return self.output((probabilities @ value.transpose(1, 2)).transpose(1, 2).reshape(batch, length, -1))


class Mlp(nn.Module):
    def __init__(self, hidden, width):
        super().__init__()
        self.gate, self.up, self.down = linear(hidden, width), linear(hidden, width), linear(width, hidden)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class MixtureOfExperts(nn.Module):
    def __init__(self, c):
        super().__init__()
        hidden, width = c["hidden_size"], c["moe_intermediate_size"]
        self.chosen, self.factor = c["num_experts_per_tok"], c["routed_scaling_factor"]
        self.router = linear(hidden, c["n_routed_experts"])
        self.register_buffer("bias", torch.zeros(c["n_routed_experts"]))
        self.experts = nn.ModuleList(Mlp(hidden, width) for _ in range(c["n_routed_experts"]))
        self.shared = Mlp(hidden, width * c["n_shared_experts"])
        self.load = torch.zeros(c["n_routed_experts"])
        self.balance = 0.0

    def forward(self, x):
        shape = x.shape
        batch, length = shape[0], shape[1]
        x = x.reshape(-1, shape[-1])
        scores = self.router(x).float().sigmoid()
        _, chosen = (scores + self.bias).topk(self.chosen, -1)
        weights = scores.gather(-1, chosen)
        weights = weights / weights.sum(-1, keepdim=True) * self.factor
        with torch.no_grad():
            used = F.one_hot(chosen, scores.shape[-1]).sum(1)
            self.load += used.sum(0)
            frequency = used.view(batch, length, -1).float().mean(1) * scores.shape[-1] / self.chosen
        share = (scores / scores.sum(-1, keepdim=True)).view(batch, length, -1).mean(1)
        self.balance = (frequency * share).sum(-1).mean()

        y = torch.zeros_like(x)
        for index, expert in enumerate(self.experts):
            token, place = torch.where(chosen == index)
            if token.numel() == 0:
                continue
            out = expert(x.index_select(0, token)) * weights[token, place].unsqueeze(-1)
            y.index_add_(0, token, out.type_as(y))
        return (y + self.shared(x)).view(shape)

    @torch.no_grad()
    def update_bias(self, rate):
        self.bias += rate * torch.sign(self.load.mean() - self.load)
        self.load.zero_()


class Block(nn.Module):
    def __init__(self, c, layer):
        super().__init__()
        self.attention_norm = RmsNorm(c["hidden_size"], c["rms_norm_eps"])
        self.attention = Attention(c)
        self.mlp_norm = RmsNorm(c["hidden_size"], c["rms_norm_eps"])
        dense = layer < c["first_k_dense_replace"]
        self.mlp = Mlp(c["hidden_size"], c["intermediate_size"]) if dense else MixtureOfExperts(c)

    def forward(self, x, cos, sin, mask):
        x = x + self.attention(self.attention_norm(x), cos, sin, mask)
        return x + self.mlp(self.mlp_norm(x))


class Model(nn.Module):
    def __init__(self, c, length):
        super().__init__()
        self.embedding = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.blocks = nn.ModuleList(Block(c, layer) for layer in range(c["num_hidden_layers"]))
        self.norm = RmsNorm(c["hidden_size"], c["rms_norm_eps"])
        self.head = linear(c["hidden_size"], c["vocab_size"])
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, 0, c["initializer_range"])
        rope = c["qk_rope_head_dim"]
        angles = torch.outer(torch.arange(length).float(), c["rope_theta"] ** -(torch.arange(0, rope, 2).float() / rope))
        self.register_buffer("cos", angles.cos().view(length, 1, rope // 2))
        self.register_buffer("sin", angles.sin().view(length, 1, rope // 2))
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1))

    def forward(self, ids):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin, self.mask)
        return self.head(self.norm(x))

    def expert_layers(self):
        return [block.mlp for block in self.blocks if isinstance(block.mlp, MixtureOfExperts)]


def train_step(model, optimizer, tokens, micro, precision, run):
    optimizer.zero_grad(set_to_none=True)
    context = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
    loss = 0.0
    for part in tokens.split(micro):
        with context:
            logits = model(part[:, :-1])
            main = F.cross_entropy(logits.flatten(0, 1).float(), part[:, 1:].flatten())
            balance = sum(layer.balance for layer in model.expert_layers())
            total = (main + run.get("balance_weight", 1e-4) * balance) * (len(part) / len(tokens))
        total.backward()
        loss += main.item() * len(part) / len(tokens)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    for layer in model.expert_layers():
        layer.update_bias(run.get("bias_update_rate", 1e-3))
    return loss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("--precision", choices=("fp32", "bf16", "bf16-weights"), default="fp32")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--micro", type=int, default=0)
    parser.add_argument("--experts", type=int, default=0)
    arguments = parser.parse_args()
    with open(arguments.run, encoding="utf-8") as file:
        run = json.load(file)
    config = run["model"]
    if arguments.experts:
        config["n_routed_experts"] = arguments.experts
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    length, sequences = run["sequence_length"], run["batch_sequences"]
    model = Model(config, length)
    if arguments.precision == "bf16-weights":
        model = model.bfloat16()
    rate = run["optimizer"]["learning_rate"]
    optimizer = torch.optim.AdamW(model.parameters(), rate, (0.9, 0.95), weight_decay=0.1)
    speeds, losses = [], []
    for step in range(arguments.warmup + arguments.steps):
        tokens = torch.randint(config["vocab_size"], (sequences, length + 1))
        started = time.perf_counter()
        losses.append(train_step(model, optimizer, tokens, arguments.micro or sequences, arguments.precision, run))
        print(f"step {step}: {time.perf_counter() - started:.2f} s", file=sys.stderr, flush=True)
        if step >= arguments.warmup:
            speeds.append(sequences * length / (time.perf_counter() - started))
    print(json.dumps({
        "tokens_per_second": statistics.median(speeds),
        "steps": speeds,
        "loss": losses[-1],
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "parameters": sum(p.numel() for p in model.parameters()),
        "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()
