using System.Globalization;
using CsCheck;
using Hadal.Data.Corpora;
using Hadal.Data.Sources;

namespace Hadal.Data.Tests.Corpora;

public class TokenCorpusTests
{
    private const int End = 256;

    private static int[] Bytes(string text) => [.. System.Text.Encoding.UTF8.GetBytes(text).Select(b => (int)b)];

    private static TokenCorpusOptions Options(double fraction = 0.2, ulong seed = 1, int threads = 1, int vocabulary = 257) =>
        new() { VocabularySize = vocabulary, EndOfSequenceId = End, ValidationFraction = fraction, Seed = seed, Threads = threads };

    private static TokenCorpus Build(IEnumerable<Document> documents, Func<string, int[]> encode, TokenCorpusOptions options) =>
        TokenCorpus.Build(documents, encode, options, cancellation: TestContext.Current.CancellationToken);

    private static List<Document> Documents(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Document(Invariant(i), $"document {Invariant(i)} " + new string('x', i % 17)))];

    private static string Invariant(int i) => i.ToString(CultureInfo.InvariantCulture);

    private static int[] All(TokenArray tokens)
    {
        int[] ids = new int[tokens.Count];
        tokens.CopyTo(0, ids);
        return ids;
    }

    [Fact]
    public void Every_document_is_on_one_side_whole_and_closed_by_the_end_token()
    {
        List<Document> documents = Documents(500);
        var corpus = Build(documents, Bytes, Options());
        var sides = All(corpus.Training).Concat(All(corpus.Validation)).ToList();
        Assert.Equal(documents.Sum(d => d.Text.Length + 1), sides.Count);
        Assert.Equal(500, sides.Count(t => t == End));
        Assert.Equal(500, corpus.TrainingDocuments + corpus.ValidationDocuments);

        // 500 draws of probability 0.2: mean 100, deviation 9; five deviations.
        Assert.InRange(corpus.ValidationDocuments, 55, 145);
        var texts = Split(All(corpus.Training)).Concat(Split(All(corpus.Validation))).ToHashSet();
        Assert.Equal(documents.Select(d => d.Text).ToHashSet(), texts);
        Assert.Equal(Split(All(corpus.Training)), documents.Select(d => d.Text).Where(Split(All(corpus.Training)).ToHashSet().Contains));
    }

    [Fact]
    public void The_split_depends_on_seed_and_id_only()
    {
        List<Document> documents = Documents(300);
        HashSet<string> first = [.. Split(All(Build(documents, Bytes, Options()).Validation))];
        HashSet<string> fewer = [.. Split(All(Build(documents.Take(200).Reverse(), Bytes, Options()).Validation))];
        HashSet<string> other = [.. Split(All(Build(documents, Bytes, Options(seed: 2)).Validation))];
        Assert.True(fewer.IsSubsetOf(first));
        Assert.NotEqual(first, other);
    }

    [Fact]
    public void Threads_change_nothing()
    {
        List<Document> documents = Documents(400);
        var one = Build(documents, Bytes, Options());
        var four = Build(documents, Bytes, Options(threads: 4));
        Assert.Equal(All(one.Training), All(four.Training));
        Assert.Equal(All(one.Validation), All(four.Validation));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_few_large_documents_are_cut_instead(int count)
    {
        var documents = Enumerable.Range(0, count).Select(i => new Document(Invariant(i), new string((char)('a' + i), 10_000)));
        for (ulong seed = 0; seed < 20; seed++)
        {
            var corpus = Build(documents, Bytes, Options(fraction: 0.05, seed: seed));
            int total = count * 10_001;
            Assert.Equal(total, corpus.Training.Count + corpus.Validation.Count);
            Assert.InRange(corpus.Validation.Count, total * 0.05 / 4 - 1, total * 0.05 * 4 + 1);
            Assert.Equal(count, All(corpus.Training).Concat(All(corpus.Validation)).Count(t => t == End));
        }
    }

    [Fact]
    public void No_validation_is_a_choice()
    {
        var corpus = Build(Documents(50), Bytes, Options(fraction: 0));
        Assert.Equal(0, corpus.Validation.Count);
        Assert.Equal(50, corpus.TrainingDocuments);
    }

    [Fact]
    public void Reading_stops_at_the_wanted_size()
    {
        var corpus = Build(Documents(500), Bytes, Options() with { MaximumTokens = 1000 });
        Assert.InRange(corpus.Training.Count + corpus.Validation.Count, 1000, 1040);
    }

    [Fact]
    public void No_text_and_a_wrong_id_are_errors()
    {
        Assert.Contains("empty", Assert.Throws<DataException>(() => Build([], Bytes, Options())).Message, StringComparison.Ordinal);
        DataException e = Assert.Throws<DataException>(() => Build(Documents(3), _ => [999], Options()));
        Assert.Contains("999", e.Message, StringComparison.Ordinal);
        Assert.Throws<DataException>(() => Build(Documents(3), _ => [-1], Options(threads: 2)));
    }

    [Fact]
    public void An_error_of_the_encoder_comes_through_as_itself() =>
        Assert.Throws<FormatException>(() => Build(Documents(30), _ => throw new FormatException(), Options(threads: 2)));

    [Fact]
    public void Cancelling_stops()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => TokenCorpus.Build(Documents(3), Bytes, Options(), cancellation: cancelled.Token));
    }

    [Fact]
    public void Small_and_large_vocabularies_hold_the_same_ids()
    {
        Gen.Int[0, 65_535].Array[0, 3000].Sample(ids =>
        {
            var narrow = TokenArray.From(ids, 65_536);
            var wide = TokenArray.From(ids, 65_537);
            Assert.Equal(ids, All(narrow));
            Assert.Equal(ids, All(wide));
            Assert.Equal(2L * ids.Length, narrow.Bytes);
            Assert.Equal(4L * ids.Length, wide.Bytes);
        }, iter: 100);
    }

    private static List<string> Split(int[] ids)
    {
        var texts = new List<string>();
        var text = new List<byte>();
        foreach (int id in ids)
        {
            if (id != End)
            {
                text.Add((byte)id);
                continue;
            }

            texts.Add(System.Text.Encoding.UTF8.GetString([.. text]));
            text.Clear();
        }

        Assert.Empty(text);
        return texts;
    }
}
