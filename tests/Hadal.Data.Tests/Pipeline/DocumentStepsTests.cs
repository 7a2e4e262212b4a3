using System.Text.Json;
using Hadal.Data.Pipeline;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Work;
using Hadal.Data.Quality;

namespace Hadal.Data.Tests.Pipeline;

public sealed class DocumentStepsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_rule_drops_is_counted_listed_and_shown()
    {
        var result = Build("""{"inputs": ["a.jsonl"], "quality": [{"preset": "gopher", "min_words": 5, "min_stop_words": null}], "samples": 2, "deduplicate": {"near": false}}""");
        var stage = result.Stages.Single(s => s.Stage == "quality-gopher");
        Assert.Equal((10, 6, 4), (stage.In, stage.Out, stage.Dropped["min_words"]));
        string[] removed = File.ReadAllLines(_folder.File("out", "removed.jsonl"));
        Assert.Equal(["short0", "short1", "short2", "short3"], removed.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("id").GetString()));
        Assert.Contains("\"detail\":\"2 where the limit is 5\"", removed[0], StringComparison.Ordinal);
        Assert.Equal(2, result.Samples.Count);
        Assert.All(result.Samples, s => Assert.Equal(("quality-gopher", "min_words", "too short"), (s.Stage, s.Rule, s.Text)));
    }

    [Fact]
    public void Documents_are_written_as_they_leave_the_stages_that_are_named()
    {
        Build("""{"inputs": ["a.jsonl"], "quality": [{"min_words": 5}], "part_bytes": 1024, "exports": [{"after": "read", "format": "jsonl"}, {"after": "quality-rules", "format": "jsonl.gz"}, {"after": "near"}]}""");
        Assert.Equal(10, Lines("read").Count());
        Assert.NotEmpty(Directory.GetFiles(_folder.File("out", "exports", "quality-rules"), "part-000000.jsonl.gz"));
        Assert.NotEmpty(Directory.GetFiles(_folder.File("out", "exports", "near"), "part-000000.jsonl.zst"));

        IEnumerable<string> Lines(string stage) => Directory.GetFiles(_folder.File("out", "exports", stage)).Order(StringComparer.Ordinal).SelectMany(File.ReadLines);
    }

    [Fact]
    public void A_preset_fills_what_the_recipe_leaves_out_and_nothing_else()
    {
        Assert.Equal("v3", Assert.Single(Load("""{"inputs": ["a.jsonl"], "preset": "v3"}""").Quality).Name);
        Assert.Empty(Load("""{"inputs": ["a.jsonl"], "preset": "v3", "quality": []}""").Quality);
        var changed = Assert.Single(Load("""{"inputs": ["a.jsonl"], "quality": [{"preset": "v3", "max_capitals": null}]}""").Quality);
        Assert.Null(changed.Rules.MaxCapitals);
        Assert.NotNull(changed.Rules.MaxDamage);
    }

    [Fact]
    public void Rules_for_other_forms_of_text_change_a_preset_field_by_field()
    {
        var rules = Assert.Single(Load("""{"inputs": ["a.jsonl"], "quality": [{"preset": "v3", "code": {"max_digits": 0.8, "min_words": null}, "math": null, "max_top_grams": {"2": 0.5}}]}""").Quality).Rules;
        Assert.Equal(QualityPresets.V3.Code! with { MaxDigits = 0.8, MinWords = null, MaxTopGrams = rules.Code!.MaxTopGrams, MaxDuplicateGrams = rules.Code.MaxDuplicateGrams }, rules.Code);
        Assert.Equal(QualityPresets.V3.Code!.MaxTopGrams, rules.Code.MaxTopGrams);
        Assert.Null(rules.Math);
        Assert.Equal(16, rules.Unspaced!.MinWords);
        Assert.Equal(0.5, Assert.Single(rules.MaxTopGrams!).Value);
    }

    [Fact]
    public void A_recipe_that_is_written_and_read_again_is_the_same()
    {
        string written = Load("""{"inputs": ["a.jsonl"], "preset": "v3", "exports": [{"after": "read"}]}""").ToJson();
        Assert.Equal(written, Load(written).ToJson());
    }

    [Fact]
    public void Left_over_marks_of_html_are_no_code()
    {
        string page = "<div class=\"a\"><ul><li><a href=\"/x\">Home</a></li><li><a href=\"/y\">About</a></li></ul>\n<p>Some words stand here</p>\n<br/></div>\n<div><span>more</span></div>\n";
        _folder.Write("c.jsonl", string.Concat(((string[])["crawled", "src/index.html"]).Select(id => JsonSerializer.Serialize(new { id, text = page }) + "\n")));
        Build("""{"inputs": ["c.jsonl"], "documents": true, "languages": "missing", "deduplicate": {"exact": false, "near": false}}""");
        Assert.Equal(["other", "code:html"], File.ReadLines(_folder.File("out", "documents.jsonl")).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("language").GetString()));
    }

    [Fact]
    public void All_steps_together_clean_tell_mask_and_drop()
    {
        string held = "Natalia sold clips to forty eight of her friends in April and then she sold half as many clips in May", pad = " The rest of this text is here to be long enough for a rule.";
        _folder.Write("eval.jsonl", JsonSerializer.Serialize(new { question = held }) + "\n");
        _folder.Write("b.jsonl", string.Concat(((string[])
        [
            "Please write to someone@example.org about the house and the garden, which we have seen with our own eyes." + pad,
            "Do you know this? " + held + "." + pad, "\u0000\u0001\u0002", "import os\n\ndef main():\n    print(os.getcwd())\n\nif __name__ == '__main__':\n    main()\n",
        ]).Select((text, i) => JsonSerializer.Serialize(new { id = $"b{i}", text }) + "\n")));
        var result = Build("""
            {"inputs": ["b.jsonl"], "documents": true, "clean": {}, "languages": "missing", "privacy": {},
             "decontaminate": {"sets": [{"name": "held", "path": "eval.jsonl", "question_fields": ["question"]}]}}
            """);
        Assert.Equal(["read", "clean", "language", "exact", "near", "privacy", "decontaminate"], result.Stages.Select(s => s.Stage));
        Assert.Equal(1, result.Stages[5].Changed!["mail_addresses"]);
        Assert.Equal(1, result.Stages[6].Dropped["held"]);
        var left = File.ReadLines(_folder.File("out", "documents.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal([("b0", "en"), ("b3", "code:python")], left.Select(d => (d.GetProperty("id").GetString()!, d.GetProperty("language").GetString()!)));
        Assert.DoesNotContain("someone@", left[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_sets_of_rules_without_names_are_two_stages()
    {
        var result = Build("""{"inputs": ["a.jsonl"], "quality": [{"min_words": 5}, {"max_words": 12}], "exports": [{"after": "quality-rules-2"}]}""");
        Assert.Equal(["read", "quality-rules", "quality-rules-2", "exact", "near"], result.Stages.Select(s => s.Stage));
        Assert.Equal((4, 6), (result.Stages[1].Dropped["min_words"], result.Stages[2].Dropped["max_words"]));
    }

    [Fact]
    public void Source_files_are_code_as_texts_are_that_show_it()
    {
        _folder.Write("src/run.py", "print(1)\n");
        _folder.Write("src/Program.cs", "return;\n");
        Build("""{"inputs": ["src", "a.jsonl"], "documents": true, "languages": "missing", "keep_languages": ["code"]}""");
        Assert.Equal(["code:csharp", "code:python"], Documents().Select(d => d.GetProperty("language").GetString()));
    }

    [Fact]
    public void Files_of_one_name_in_two_inputs_are_told_apart()
    {
        _folder.Write("one/a.txt", "the first text");
        _folder.Write("two/a.txt", "another text");
        Build("""{"inputs": ["one", "two"], "documents": true}""");
        Assert.Equal([("a.txt", "a.txt"), ("@2/a.txt", "@2/a.txt")], Documents().Select(d => (d.GetProperty("id").GetString()!, d.GetProperty("source").GetString()!)));
    }

    [Fact]
    public void A_build_does_not_go_on_with_another_evaluation_set()
    {
        const string recipe = """{"inputs": ["a.jsonl"], "decontaminate": {"sets": [{"name": "held", "path": "eval.jsonl", "question_fields": ["question"]}]}}""";
        Load(recipe);
        File.SetLastWriteTimeUtc(_folder.File("a.jsonl"), DateTime.UnixEpoch);
        _folder.Write("eval.jsonl", """{"question": "one"}""");
        var loaded = DataRecipe.Load(_folder.File("recipe.json"));
        Run(loaded);
        Run(loaded);
        _folder.Write("eval.jsonl", """{"question": "another"}""");
        Assert.Contains("evaluation sets", Assert.Throws<DataException>(() => Run(loaded)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_with_an_evaluation_set_is_said_before_anything_is_done()
    {
        _folder.Write("eval.jsonl", "{\"question\": \"one\"}\nbroken\n");
        var recipe = Load("""{"inputs": ["a.jsonl"], "decontaminate": {"sets": [{"name": "held", "path": "eval.jsonl", "question_fields": ["question"]}]}}""");
        Assert.Equal(2, Assert.Single(new DataBuild(recipe, _folder.File("out")).Skipped).Line);
        var wrong = recipe with { Decontaminate = recipe.Decontaminate! with { Sets = [recipe.Decontaminate.Sets[0] with { QuestionFields = ["q"] }] } };
        Assert.Contains("\"q\"", Assert.Throws<DataException>(() => new DataBuild(wrong, _folder.File("out"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_left_of_the_work_of_a_finished_build_is_cleared_away()
    {
        Build("""{"inputs": ["a.jsonl"]}""");
        _folder.Write("out/work/read/000000/tally.json", "");
        Run(DataRecipe.Load(_folder.File("recipe.json")));
        Assert.False(Directory.Exists(_folder.File("out", "work")));
    }

    [Theory]
    [InlineData("""{"inputs": ["a.jsonl"], "quality": ["gofer"]}""", "\"gofer\"")]
    [InlineData("""{"inputs": ["a.jsonl"], "preset": "v4"}""", "no preset \"v4\"")]
    [InlineData("""{"inputs": ["a.jsonl"], "exports": [{"after": "privacy"}]}""", "no stage \"privacy\"")]
    [InlineData("""{"inputs": ["a.jsonl"], "exports": [{"after": "read", "format": "doc"}]}""", "\"doc\"")]
    [InlineData("""{"inputs": ["a.jsonl"], "exports": [{"after": "read"}, {"after": "read"}]}""", "asked for twice")]
    [InlineData("""{"inputs": ["a.jsonl"], "exports": [null]}""", "not null")]
    [InlineData("""{"inputs": [null]}""", "An input is a path")]
    [InlineData("""{"inputs": null}""", "cannot be null")]
    [InlineData("""{"inputs": [{"path": null}]}""", "cannot be null")]
    [InlineData("""{"inputs": ["a.jsonl"], "deduplicate": null}""", "cannot be null")]
    [InlineData("""{"inputs": ["a.jsonl"], "tokens": {"tokenizer": null}}""", "cannot be null")]
    [InlineData("""{"inputs": ["a.jsonl"], "decontaminate": {"sets": [null]}}""", "not null")]
    [InlineData("""{"inputs": ["a.jsonl"], "deduplicate": {"shingles_by_language": {"en": null}}}""", "from 1 to 64")]
    [InlineData("""{"inputs": ["a.jsonl"], "quality": [null]}""", "is the name of a preset or an object")]
    [InlineData("""{"inputs": ["a.jsonl"], "quality": [{"preset": 7}]}""", "is one of gopher")]
    [InlineData("""{"inputs": ["a.jsonl"], "quality": [{"min_words": 1, "min_words": 2}]}""", "min_words")]
    [InlineData("""{"inputs": ["a.jsonl"], "quality": [{"max_digits": 40}]}""", "\"max_digits\" is 40")]
    [InlineData("""{"inputs": ["a.jsonl"], "quality": [{"preset": "v3", "code": {"min_words": -1}}]}""", "\"code\": \"min_words\" is -1")]
    [InlineData("""{"inputs": ["a.jsonl"], "samples": 5, "samples": 6}""", "samples")]
    [InlineData("""{"inputs": ["a.jsonl"], "exprots": []}""", "there is no such field (at $.exprots)")]
    [InlineData("""{"inputs": [{"source": "web"}]}""", "a field is missing: 'path'")]
    [InlineData("""{"inputs": ["a.jsonl"], "languages": "some"}""", "the value is not one of off, missing, all (at $.languages)")]
    [InlineData("""{"inputs": "a.jsonl"}""", "the value is not a list (at $.inputs)")]
    [InlineData("""{"inputs": ["a.jsonl"], "samples": 1.5}""", "the value is not a whole number in range")]
    [InlineData("""{"inputs": ["a.jsonl"], "clean": {"maximum_damage": "all"}}""", "the value is not a number")]
    [InlineData("""{"inputs": ["a.jsonl"], "privacy": {"emails": 1}}""", "the value is not true or false")]
    [InlineData("""{"inputs": ["a.jsonl"], "preset": 3}""", "the value is not a text")]
    [InlineData("""{"inputs": ["a.jsonl"], "deduplicate": true}""", "the value is not an object")]
    public void A_wrong_step_says_what_is_wrong(string recipe, string part) =>
        Assert.Contains(part, Assert.Throws<DataException>(() => Load(recipe)).Message, StringComparison.Ordinal);

    private DataRecipe Load(string recipe)
    {
        _folder.Write("a.jsonl", string.Concat(Enumerable.Range(0, 10).Select(i => JsonSerializer.Serialize(i < 4
            ? new { id = $"short{i}", text = "too short" }
            : new { id = $"long{i}", text = $"This is a document of more than just five words, and it has the number {i} {new string((char)('a' + i), 8)}." }) + "\n")));
        return DataRecipe.Load(_folder.Write("recipe.json", recipe));
    }

    private DataBuildResult Build(string recipe) => Run(Load(recipe));

    private DataBuildResult Run(DataRecipe recipe) => new DataBuild(recipe, _folder.File("out")).Run(2, WorkShare.All, 0, null, TestContext.Current.CancellationToken);

    private IEnumerable<JsonElement> Documents() => File.ReadLines(_folder.File("out", "documents.jsonl")).Select(l => JsonDocument.Parse(l).RootElement);
}
