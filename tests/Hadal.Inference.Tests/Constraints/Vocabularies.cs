using Hadal.Inference.Constraints;
using Hadal.Model.Tokenization;

namespace Hadal.Inference.Tests.Constraints;

/// <summary>Tokenizers of the tests, each loaded once: one token a byte, 32,000 tokens, 129,000 tokens.</summary>
internal static class Vocabularies
{
    private static readonly Lazy<(Tokenizer, ConstraintVocabulary)> _bytes = new(() => Of(ByteTokenizer.Create()));
    private static readonly Lazy<(Tokenizer, ConstraintVocabulary)> _coder = new(() => Of(Load("deepseek-coder-v1")));
    private static readonly Lazy<(Tokenizer, ConstraintVocabulary)> _v3 = new(() => Of(Load("deepseek-v3")));

    public static (Tokenizer Tokenizer, ConstraintVocabulary Vocabulary) Bytes => _bytes.Value;

    public static (Tokenizer Tokenizer, ConstraintVocabulary Vocabulary) Coder => _coder.Value;

    public static (Tokenizer Tokenizer, ConstraintVocabulary Vocabulary) V3 => _v3.Value;

    private static Tokenizer Load(string name) => Tokenizer.Load(Path.Combine(GoldenData.Root, "tests", "tokenizers", name));

    private static (Tokenizer, ConstraintVocabulary) Of(Tokenizer tokenizer) => (tokenizer, ConstraintVocabulary.Build(tokenizer));
}
