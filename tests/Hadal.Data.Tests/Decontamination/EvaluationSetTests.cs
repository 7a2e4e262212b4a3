using Hadal.Data.Decontamination;
using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Decontamination;

public sealed class EvaluationSetTests
{
    [Fact]
    public void Items_are_read_from_the_fields_of_JSON_lines()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "test.jsonl");
        File.WriteAllText(path, "{\"q\":\"one?\",\"a\":\"1\"}\n{\"q\":\"two?\",\"a\":\"2\"}\nbroken\n{\"q\":\"four?\",\"a\":\"4\"}\n");

        var items = new EvaluationSet { Name = "numbers/test", Path = path, QuestionFields = ["q"], AnswerFields = ["a"] }.Read().ToList();

        Assert.Equal([new("numbers/test", 0, "one?", "1"), new("numbers/test", 1, "two?", "2"), new EvaluationItem("numbers/test", 3, "four?", "4")], items);
    }

    [Fact]
    public void Items_are_read_from_the_columns_of_a_folder_of_CSV()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "a.csv"), "question,c0,c1\n\"which,\none?\",x,y\nwhat?,z,w\n");
        File.WriteAllText(Path.Combine(folder.Path, "b.csv"), "question,c0,c1\nwho?,p,q\n");

        var items = new EvaluationSet { Name = "choice", Path = folder.Path, QuestionFields = ["question", "c0", "c1"] }.Read().ToList();

        Assert.Equal([new("choice/a.csv", 0, "which,\none?\nx\ny"), new("choice/a.csv", 1, "what?\nz\nw"), new EvaluationItem("choice/b.csv", 0, "who?\np\nq")], items);
    }

    [Theory]
    [InlineData("""{"q": "which?", "choices": ["one", "two"]}""", "choices", "which?\none\ntwo")]
    [InlineData("""{"choices": {"text": ["one", "two"], "label": ["A", "B"]}, "q": "which?"}""", "choices", "which?\none\ntwo")]
    [InlineData("""{"q": "which?", "targets": {"labels": [0, 1], "choices": ["one", "two"]}}""", "targets.choices", "which?\none\ntwo")]
    [InlineData("""{"q": "which?", "answers": [{"text": "one", "at": 1}, {"text": "two", "at": 7}]}""", "answers", "which?\none\ntwo")]
    [InlineData("""{"q": "which?", "a.b": ["one"], "a": {"c": "no"}}""", "a.b", null)]
    [InlineData("""{"q": "which?", "choices": []}""", "choices", "which?")]
    [InlineData("""{"q": "which?", "choices": null}""", "choices", "which?")]
    public void Fields_may_be_arrays_of_strings(string record, string field, string? question)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "test.jsonl");
        File.WriteAllText(path, record + "\n");

        List<EvaluationItem> Read() => [.. new EvaluationSet { Name = "choice", Path = path, QuestionFields = ["q", field] }.Read()];

        // A key with the whole name and one with the first part of it are two fields for one.
        if (question is null) Assert.Contains($"\"{field}\"", Assert.Throws<DataException>(Read).Message, StringComparison.Ordinal);
        else Assert.Equal([new EvaluationItem("choice", 0, question)], Read());
    }

    [Theory]
    [InlineData("""{"q": 7}""", "leads to a number, not to strings")]
    [InlineData("""{"q": ["one", 2]}""", "leads to a number, not to strings")]
    [InlineData("""{"q": {"options": ["one"]}}""", "an object without \"text\"")]
    [InlineData("""{"q": {"text": [["one", false]]}, "id": 1}""", "leads to a truth value, not to strings")]
    public void A_field_without_strings_is_reported(string record, string reason)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "test.jsonl");
        File.WriteAllText(path, record + "\n{\"q\": [\"good\"]}\n");
        var report = new ReadReport();

        var items = new EvaluationSet { Name = "n", Path = path, QuestionFields = ["q"] }.Read(report).ToList();

        Assert.Equal([new EvaluationItem("n", 1, "good")], items);
        Assert.Contains(reason, Assert.Single(report.Examples).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_field_that_no_record_has_is_named()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "test.jsonl");
        File.WriteAllText(path, "{\"q\":\"one?\"}\n");

        var error = Assert.Throws<DataException>(() => new EvaluationSet { Name = "n", Path = path, QuestionFields = ["query"] }.Read().ToList());

        Assert.Contains("\"query\"", error.Message);
    }
}
