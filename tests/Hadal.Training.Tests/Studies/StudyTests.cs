using System.Text;
using Hadal.Model.Configuration;
using Hadal.Training.Studies;

namespace Hadal.Training.Tests.Studies;

public class StudyTests
{
    [Fact]
    public void Values_of_an_inner_field_become_variants_of_that_name_with_everything_else_as_in_the_base_run()
    {
        var study = Parse("""{ "vary": "optimizer.learning_rate", "values": [0.001, 2e-3], "seeds": [3, 1] }""");
        Assert.Equal(["0.001", "2e-3"], study.Variants.Select(v => v.Name));
        Assert.Equal([0.001, 0.002], study.Variants.Select(v => v.Run.Optimizer.LearningRate));
        Assert.All(study.Variants, v => Assert.Equal(TinyRun.Run.Optimizer.WarmupSteps, v.Run.Optimizer.WarmupSteps));
        Assert.Equal("0.001", study.Baseline);
    }

    [Fact]
    public void Runs_go_seed_by_seed_and_hold_the_same_text_back()
    {
        var runs = Parse("""{ "vary": "precision", "values": ["fp32", "bf16"], "seeds": [3, 1], "baseline": "bf16" }""").Runs.ToList();
        Assert.Equal([("fp32", 3ul), ("bf16", 3ul), ("fp32", 1ul), ("bf16", 1ul)], runs.Select(r => (r.Variant.Name, r.Seed)));
        Assert.All(runs, r => Assert.Equal((r.Seed, (ulong?)TinyRun.Run.Seed), (r.Run.Seed, r.Run.SplitSeed)));
        Assert.Equal(Path.Combine("runs", "bf16", "seed-1"), runs[^1].Folder);
    }

    [Fact]
    public void Named_variants_change_fields_together_and_null_takes_one_away()
    {
        var study = Parse("""
            { "title": "Balance", "seeds": [1], "variants": {
              "bias": {}, "loss": { "balance": "sequence_loss", "balance_weight": 0.01, "model": { "num_nextn_predict_layers": 0 }, "batch_sequences": null } } }
            """);
        var loss = study.Variants[1].Run;
        Assert.Equal(("sequence_loss", 0.01, 0, 8), (loss.Balance, loss.BalanceWeight, (int)loss.Model["num_nextn_predict_layers"]!, loss.BatchSequences));
        Assert.Equal((int)TinyRun.Run.Model["hidden_size"]!, (int)loss.Model["hidden_size"]!);
        Assert.Equal(TinyRun.Run.ToJson(), study.Variants[0].Run.ToJson());
        Assert.Equal(("Balance", null, "bias"), (study.Title, study.Varied, study.Baseline));
    }

    [Fact]
    public void The_base_run_may_be_a_file_and_its_paths_are_relative_to_it()
    {
        var folder = Directory.CreateTempSubdirectory("hadal-study-");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.FullName, "runs"));
            File.WriteAllText(Path.Combine(folder.FullName, "runs", "base.json"), TinyRun.Run.ToJson());
            string file = Path.Combine(folder.FullName, "study.json");
            File.WriteAllText(file, """{ "run": "runs/base.json", "vary": "steps", "values": [5, 7], "seeds": [1], /* a comment */ }""");
            var study = Study.Load(file);
            Assert.Equal([5, 7], study.Variants.Select(v => v.Run.Steps));
            Assert.Equal(Path.Combine(folder.FullName, "runs"), study.Home);
        }
        finally
        {
            folder.Delete(true);
        }
    }

    [Theory]
    [InlineData("""{ "vary": "precision", "values": ["fp32"], "seeds": [1] }""", "values", "2 to 32 entries, and has 1")]
    [InlineData("""{ "vary": "precision", "values": ["fp32", "fp32"], "seeds": [1] }""", "values", "whose folders would be the same")]
    [InlineData("""{ "vary": "optimizer.learning_rate", "values": [0.001, 1e-3], "seeds": [1] }""", "values", "which are the same run")]
    [InlineData("""{ "vary": "precision", "values": ["fp32", "fp7"], "seeds": [1] }""", "precision", "variant fp7: precision is \"fp7\", but has to be one of")]
    [InlineData("""{ "vary": "precison", "values": ["fp32", "bf16"], "seeds": [1] }""", null, "precison")]
    [InlineData("""{ "vary": "seed", "values": [1, 2], "seeds": [1] }""", "vary", "seeds go into seeds")]
    [InlineData("""{ "vary": "optimizer..beta1", "values": [0.1, 0.2], "seeds": [1] }""", "vary", "no field that can differ")]
    [InlineData("""{ "vary": "precision", "seeds": [1] }""", "values", "has to list the values of precision")]
    [InlineData("""{ "vary": "data", "values": [["a"], ["b"]], "seeds": [1] }""", "values", "needs variants with names")]
    [InlineData("""{ "vary": "tokenizer", "values": ["../a", "b"], "seeds": [1] }""", "values", "cannot be the name of a folder")]
    [InlineData("""{ "variants": { "..": { "steps": 3 }, "b": {} }, "seeds": [1] }""", "variants", "cannot be the name of a folder")]
    [InlineData("""{ "variants": { "a": { "seed": 3 }, "b": {} }, "seeds": [1] }""", "variants.a.seed", "cannot differ")]
    [InlineData("""{ "variants": { "a": 3, "b": {} }, "seeds": [1] }""", "variants", "has to be an object")]
    [InlineData("""{ "variants": { "a": {}, "b": {} }, "vary": "steps", "seeds": [1] }""", "variants", "cannot stand beside")]
    [InlineData("""{ "seeds": [1] }""", "vary", "has to name the field that differs")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seeds": [] }""", "seeds", "has to list 1 to 100 seeds")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seeds": [1, 1] }""", "seeds", "has 1 twice")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seeds": [-1] }""", "seeds", "whole numbers of 0 or more")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seeds": [1], "baseline": 6 }""", "baseline", "has to be one of 5, 7")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seeds": [1], "band_percent": 0 }""", "band_percent", "between 0 and 100")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seed": [1] }""", "seed", "is not a field of a study file")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seeds": [1], "run": 4 }""", "run", "has to be a run file")]
    [InlineData("""{ "vary": "steps", "values": [5, 7], "seeds": [1], "run": "missing.json" }""", null, "the base run cannot be read")]
    [InlineData("""{ "vary": "steps", "vary": "precision", "seeds": [1] }""", null, "a name twice")]
    [InlineData("[]", null, "has to be one JSON object")]
    [InlineData("{", null, "is not JSON")]
    public void A_wrong_study_is_refused_with_the_field_and_what_would_be_right(string json, string? field, string sentence)
    {
        var e = Assert.Throws<ConfigException>(() => Parse(json));
        if (field is not null) Assert.Equal(field, e.Field);
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", e.Message, StringComparison.Ordinal);
    }

    // With the tiny run as the base, unless the study names one.
    internal static Study Parse(string json)
    {
        if (!json.Contains("\"run\"", StringComparison.Ordinal) && json.Length > 2 && json[0] == '{')
            json = "{ \"run\": " + TinyRun.Run.ToJson() + "," + json[1..];
        return Study.Parse(Encoding.UTF8.GetBytes(json), "study.json", "/nowhere");
    }
}
