using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

/// <summary>Comparison, id by id, with what the reference library made of the same texts.</summary>
public class OracleTests
{
    // Depends on which Unicode version knows the letters of this text; information only.
    private const string VersionDependent = "unassigned_in_unicode14";

    [Fact]
    public void Every_line_of_the_DeepSeek_V3_oracle_is_exact()
    {
        Assert.True(TokenizerData.V3.UsesDeepSeekV3Scanner);
        Check(TokenizerData.V3, TokenizerData.Oracle("deepseek-v3", "oracle.jsonl.gz"), atLeast: 1_600);
    }

    [Theory]
    [InlineData("deepseek-llm-v1")]
    [InlineData("deepseek-coder-v1")]
    public void Every_line_of_the_older_oracles_is_exact(string name)
        => Check(Tokenizer.Load(TokenizerData.Folder(name)), TokenizerData.Oracle(name, "oracle.jsonl"), atLeast: 20);

    [Fact]
    public void General_regular_expressions_agree_with_the_DeepSeek_V3_oracle()
    {
        // A fourth Split that finds nothing keeps the file from being recognised.
        using StreamReader file = TokenizerData.Open("deepseek-v3", "tokenizer.json.gz");
        string json = file.ReadToEnd();
        const string Steps = "\"pretokenizers\":[";
        string changed = json.Replace(
            Steps, Steps + """{"type":"Split","pattern":{"Regex":"(?!)"},"behavior":"Isolated","invert":false},""", StringComparison.Ordinal);
        Assert.NotEqual(json, changed);
        Tokenizer general = Tokenizer.Parse(System.Text.Encoding.UTF8.GetBytes(changed), "changed");
        Assert.False(general.UsesDeepSeekV3Scanner);
        Check(general, TokenizerData.Oracle("deepseek-v3", "oracle.jsonl.gz"), atLeast: 1_600);
    }

    private static void Check(Tokenizer tokenizer, IEnumerable<(string Kind, string Text, int[] Ids)> oracle, int atLeast)
    {
        int lines = 0;
        List<string> wrong = [];
        foreach ((string kind, string text, int[] ids) in oracle)
        {
            lines++;
            if (kind != VersionDependent && !tokenizer.Encode(text).SequenceEqual(ids)) wrong.Add($"{kind}: {text}");
            Assert.Equal(text, tokenizer.Decode(ids));
        }

        Assert.True(lines >= atLeast, $"only {lines} lines");
        Assert.Empty(wrong);
    }
}
