using System.Text;
using System.Text.Json.Nodes;
using Hadal.Model.Tokenization;

[assembly: AssemblyFixture(typeof(Hadal.Cli.Tests.Samples))]

namespace Hadal.Cli.Tests;

/// <summary>Small models, tokenizers, texts and run files, made once for all tests.</summary>
public sealed class Samples : IDisposable
{
    private static readonly string[] _words = ["returns", "the", "number", "of", "elements", "in", "a", "list", "or", "throws", "when", "index", "is", "less", "than", "zero"];
    private readonly TemporaryFolder _folder = new();

    public Samples()
    {
        Text = _folder.Write("text/corpus.txt", Prose(6000));
        string[] documents = [File.ReadAllText(Text)];
        BpeTrainer.Train(documents, new BpeTrainerOptions { VocabularySize = 300 }).Save(TokenizerFolder);
        Copy(GoldenData.Folder("tiny-v3"), ModelFolder, "config.json", "model.safetensors");
        Copy(TokenizerFolder, ModelFolder, "tokenizer.json", "tokenizer_config.json");
        Copy(ModelFolder, ChatFolder, "config.json", "model.safetensors");
        BpeTrainer.Train(documents, new BpeTrainerOptions { VocabularySize = 320, AddedTokens = DeepSeekTokens.FimAndChat }).Save(ChatFolder);
        Copy(GoldenData.Folder("../tokenizers/deepseek-v3"), ChatFolder, "tokenizer_config.json");
        RunFile = _folder.Write("run.json", Run(_ => { }));
    }

    /// <summary>A file of words that a small model learns something of.</summary>
    public string Text { get; }

    /// <summary>A folder with a tokenizer of 300 entries.</summary>
    public string TokenizerFolder => _folder.File("tokenizer");

    /// <summary>The golden model tiny-v3 with that tokenizer: an MTP module, a context of 2560.</summary>
    public string ModelFolder => _folder.File("model");

    /// <summary>The same model with a chat template.</summary>
    public string ChatFolder => _folder.File("chat");

    /// <summary>A run of 6 steps that takes a fraction of a second; its paths are relative.</summary>
    public string RunFile { get; }

    /// <summary>That run file with changes, paths absolute.</summary>
    public string Run(Action<JsonObject> change)
    {
        var run = new JsonObject
        {
            ["model"] = JsonNode.Parse("""
                {
                  "model_type": "deepseek_v3", "hidden_size": 16, "num_hidden_layers": 2, "first_k_dense_replace": 1, "num_attention_heads": 2,
                  "q_lora_rank": 8, "kv_lora_rank": 8, "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 8, "n_routed_experts": 4,
                  "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1, "n_shared_experts": 1, "moe_intermediate_size": 8, "intermediate_size": 16,
                  "vocab_size": 300, "max_position_embeddings": 64, "num_nextn_predict_layers": 1, "bos_token_id": 0, "eos_token_id": 1
                }
                """),
            ["tokenizer"] = TokenizerFolder,
            ["data"] = new JsonArray(Text),
            ["steps"] = 6,
            ["checkpoint_every"] = 2,
            ["seed"] = 5,
            ["sequence_length"] = 16,
            ["batch_sequences"] = 2,
            ["validation_share"] = 0.1,
            ["validation_sequences"] = 4,
        };
        change(run);
        return run.ToJsonString();
    }

    /// <summary>Words in an order that repeats itself only in parts.</summary>
    public static string Prose(int words)
    {
        var text = new StringBuilder();
        uint state = 1;
        for (int i = 0; i < words; i++)
        {
            state = state * 1664525 + 1013904223;
            text.Append(_words[(state >> 24) % (uint)_words.Length]).Append(i % 12 == 11 ? ".\n" : " ");
        }

        return text.ToString();
    }

    public void Dispose() => _folder.Dispose();

    private static void Copy(string from, string to, params string[] names)
    {
        Directory.CreateDirectory(to);
        foreach (string name in names) File.Copy(Path.Combine(from, name), Path.Combine(to, name), overwrite: true);
    }
}
