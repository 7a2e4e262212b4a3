using System.Text;
using System.Text.Json.Nodes;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>Small tokenizer files made for single tests.</summary>
internal static class SmallTokenizer
{
    private static readonly Lazy<TrainedTokenizer> _trainedOnce = new(static () => BpeTrainer.Train(
        ["the cat sat on the mat, the cat ate the rat.\n", "in the end the 123 cats 中文中文 are at 456 the mat 😀😀"],
        new BpeTrainerOptions { VocabularySize = 290, AddedTokens = ["<｜User｜>", "<|EOT|>"] }));

    internal static TrainedTokenizer Trained => _trainedOnce.Value;

    /// <summary>The content of the trained file.</summary>
    internal static byte[] File { get; } = Written("tokenizer.json");

    internal static byte[] Settings { get; } = Written("tokenizer_config.json");

    /// <summary>The trained file with something changed.</summary>
    internal static byte[] Changed(Action<JsonObject> change)
    {
        JsonObject root = JsonNode.Parse(File)!.AsObject();
        change(root);
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    internal static Tokenizer With(Action<JsonObject> change) => Tokenizer.Parse(Changed(change), "changed");

    private static byte[] Written(string name)
    {
        string folder = Directory.CreateTempSubdirectory("hadal-tokenizer-").FullName;
        try
        {
            Trained.Save(folder);
            return System.IO.File.ReadAllBytes(Path.Combine(folder, name));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
