using Hadal.Data.Decontamination;

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
