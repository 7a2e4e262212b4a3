using System.Text;
using System.Text.Json;
using Hadal.Data.Decontamination;

namespace Hadal.Data.Tests.Decontamination;

public sealed class ContaminationIndexTests
{
    private const string Question = "A farmer keeps seventeen hens, and every hen lays four eggs a week; how many eggs will the farmer have gathered at the end of nine weeks?";
    private const string Answer = "Seventeen hens with four eggs each lay 17*4 = 68 eggs in a week. In nine weeks that makes 68*9 = 612 eggs for the farmer.";
    private const string Chinese = "一个农夫养了十七只母鸡，每只母鸡每星期下四个蛋，请问九个星期以后农夫一共收了多少个鸡蛋？";
    private const string Short = "Evaluate the integral of sine squared.";

    private static readonly ContaminationIndex _index = ContaminationIndex.Build(
    [
        new EvaluationItem("hens", 3, Question, Answer),
        new EvaluationItem("hens-zh", 0, Chinese, "612"),
        new EvaluationItem("short", 7, Short, "\\frac{1}{2}"),
    ]);

    private static string Filler(int seed, int words)
    {
        var random = new Random(seed);
        return string.Join(' ', Enumerable.Range(0, words).Select(_ => $"{(char)('a' + random.Next(26))}{(char)('a' + random.Next(26))}o{random.Next(100)}"));
    }

    [Theory]
    [InlineData(Question, EvaluationPart.Question, "hens", 3)]
    [InlineData(Answer, EvaluationPart.Answer, "hens", 3)]
    [InlineData(Chinese, EvaluationPart.Question, "hens-zh", 0)]
    [InlineData(Short, EvaluationPart.Question, "short", 7)]
    public void An_item_inside_a_document_is_found_with_its_place(string planted, EvaluationPart part, string set, int item)
    {
        string before = Filler(1, 200) + "\n\n";

        Contamination? found = _index.Check(before + planted + "\n" + Filler(2, 100));

        Assert.NotNull(found);
        Assert.Equal((set, item, part, 1.0), (found.Set, found.Item, found.Part, found.MatchedShare));
        Assert.Equal(before.Length, found.Start);
        Assert.InRange(found.End, before.Length + planted.Length - 2, before.Length + planted.Length);
    }

    [Fact]
    public void Capitals_punctuation_and_layout_do_not_hide_an_item()
    {
        string hidden = Question.ToUpperInvariant().Replace(",", " --").Replace(";", "\n\n*").Replace("?", "");

        Assert.Equal(3, _index.Check(hidden)?.Item);
    }

    [Fact]
    public void Less_than_the_share_is_no_contamination()
    {
        string[] words = Question.Split(' ');
        string half = string.Join(' ', words[..(words.Length * 4 / 5)]), fewer = string.Join(' ', words[..14]);

        Assert.InRange(_index.Check(half)!.MatchedShare, 0.5, 0.99);
        Assert.Null(_index.Check(fewer));
        Assert.Null(_index.Check(string.Join(' ', words.Reverse())));
        Assert.Null(_index.Check("Evaluate the integral of cosine squared."));
        Assert.Null(_index.Check("The answer is 612, or \\frac{1}{2} of it."));
        Assert.Null(_index.Check(""));
    }

    [Fact]
    public void A_window_that_repeats_counts_once()
    {
        string part = string.Join(' ', Question.Split(' ')[..14]);

        Assert.Null(_index.Check(string.Concat(Enumerable.Repeat(part + " and ", 50))));
    }

    [Fact]
    public void A_short_text_that_many_items_share_is_a_turn_of_phrase()
    {
        var index = ContaminationIndex.Build(Enumerable.Range(0, 5).Select(i => new EvaluationItem("choices", i, "Which of the following statements is true?")));

        Assert.Null(index.Check("Which of the following statements is true?"));
    }

    [Fact]
    public void A_text_that_many_items_hold_is_still_found()
    {
        var index = ContaminationIndex.Build(Enumerable.Range(0, 50).Select(i => new EvaluationItem("infilling", i, Question + " " + Filler(i, 4))));

        Assert.Equal(0, index.Check(Question)?.Item);
    }

    [Fact]
    public void Cutting_takes_the_item_and_a_window_and_keeps_the_rest()
    {
        var index = ContaminationIndex.Build([new EvaluationItem("hens", 3, Question, Answer)], new ContaminationRules { Action = ContaminationAction.Cut, Window = 50, MinPiece = 100 });
        string before = Filler(1, 100), after = Filler(2, 100);

        ContaminationVerdict verdict = index.Judge($"{before}\n{Question}\n{Answer}\n{after}");

        string[] pieces = verdict.Text!.Split("\n\n");
        Assert.Equal(2, pieces.Length);
        Assert.StartsWith(pieces[0], before);
        Assert.EndsWith(pieces[1], after);
        Assert.InRange(before.Length - pieces[0].Length, 50, 60);
        Assert.Null(index.Check(verdict.Text));
        Assert.Null(index.Judge("Short. " + Question).Text);
        Assert.NotNull(index.Judge("Short. " + Question).Found);
    }

    [Fact]
    public void A_document_is_dropped_by_default_and_a_clean_one_is_given_back()
    {
        string clean = Filler(3, 50);

        Assert.Null(_index.Judge(Question).Text);
        Assert.Same(clean, _index.Judge(clean).Text);
    }

    [Fact]
    public void Every_item_of_many_is_found_and_no_other_text()
    {
        var items = Enumerable.Range(0, 2000).Select(i => new EvaluationItem("many", i, Filler(i, 30))).ToList();
        var index = ContaminationIndex.Build(items);

        Assert.Equal(2000 * 18, index.Windows);
        Assert.InRange(index.Bytes / (double)index.Windows, 11, 30);
        Assert.All(items, item => Assert.Equal(item.Number, index.Check(Filler(item.Number + 5000, 20) + " " + item.Question)?.Item));
        Assert.All(Enumerable.Range(3000, 500), i => Assert.Null(index.Check(Filler(i, 300))));
    }

    [Fact]
    public void Runs_and_damaged_text_are_searched_without_error()
    {
        foreach (string run in new[] { "a", "a ", " ", "天", "\uD800", "\uDC00\uD800", "𠀀" }) Assert.Null(_index.Check(new StringBuilder().Insert(0, run, 200_000).ToString()));
        Assert.NotNull(_index.Check(string.Concat(Enumerable.Repeat(Question, 2000))));
    }

    [Fact]
    public void Rules_and_sets_say_what_is_wrong_and_come_back_from_JSON()
    {
        Assert.Contains("min_share", new ContaminationRules { MinShare = 0 }.Problem());
        Assert.Throws<DataException>(() => ContaminationIndex.Build([], new ContaminationRules { Words = 1 }));
        Assert.Contains("fields", new EvaluationSet { Name = "a", Path = "b" }.Problem());
        var rules = new ContaminationRules { Action = ContaminationAction.Cut, Window = 7 };
        Assert.Equal(rules, JsonSerializer.Deserialize<ContaminationRules>(JsonSerializer.Serialize(rules)));
        Assert.Contains("\"action\":\"cut\"", JsonSerializer.Serialize(rules));
    }
}
