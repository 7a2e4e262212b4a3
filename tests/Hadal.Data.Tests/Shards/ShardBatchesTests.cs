using CsCheck;
using Hadal.Data.Corpora;
using Hadal.Data.Shards;
using Hadal.Training.Batches;

namespace Hadal.Data.Tests.Shards;

public sealed class ShardBatchesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ShardBatchesTests() => ShardSamples.Write(_folder.Path);

    public void Dispose() => _folder.Dispose();

    private static ShardBatchOptions Options(int sequences = 6) => new() { SequenceLength = 16, BatchSequences = sequences, MicroBatchSequences = 2, Seed = 3, ValidationShare = 0.2 };

    [Fact]
    public void An_order_has_every_row_once_whatever_the_number_of_rows_and_the_seed() => Gen.Select(Gen.Int[1, 700], Gen.ULong, Gen.Int[0, 9]).Sample((count, seed, epoch) =>
    {
        var order = new WindowOrder(count, seed);
        return Enumerable.Range(0, count).Select(i => order[epoch, i]).Order().SequenceEqual(Enumerable.Range(0, count).Select(i => (long)i));
    });

    [Fact]
    public void An_epoch_has_every_row_once_and_the_next_has_another_order()
    {
        using var shards = TokenShards.Open(_folder.Path);
        using var batches = new ShardBatches(shards, Options() with { ValidationShare = 0 });
        Assert.Equal(shards.Rows, batches.RowsToTrainOn);
        long[] first = [.. Range(0, shards.Rows).Select(batches.Row)], second = [.. Range(shards.Rows, shards.Rows).Select(batches.Row)];
        Assert.Equal(Range(0, shards.Rows), first.Order());
        Assert.Equal(Range(0, shards.Rows), second.Order());
        Assert.NotEqual(first, second);
        Assert.NotEqual(Range(0, shards.Rows), first);
    }

    [Fact]
    public void A_run_that_begins_in_the_middle_gets_the_batches_that_a_whole_run_gets_there()
    {
        using var shards = TokenShards.Open(_folder.Path);
        using var whole = new ShardBatches(shards, Options());
        PackedBatch one = new(2, 16), two = new(2, 16);
        var seen = new List<int[]>();
        for (long step = 1; step <= 40; step++)
        {
            for (int m = 0; m < whole.MicroBatchesPerStep; m++)
            {
                whole.Fill(step, m, one);
                seen.Add([.. one.Tokens, .. one.Filled]);
            }
        }

        using var resumed = new ShardBatches(shards, Options());
        resumed.Fill(31, 1, two);
        Assert.Equal(seen[30 * 3 + 1], (int[])[.. two.Tokens, .. two.Filled]);
        resumed.Fill(7, 2, two);
        Assert.Equal(seen[6 * 3 + 2], (int[])[.. two.Tokens, .. two.Filled]);
    }

    [Fact]
    public void What_is_in_a_batch_are_the_rows_and_padding_is_no_label()
    {
        using var shards = TokenShards.Open(_folder.Path);
        int[] row = new int[16];
        foreach (int length in (int[])[16, 15])
        {
            using var batches = new ShardBatches(shards, Options() with { SequenceLength = length });
            var batch = new PackedBatch(2, length);
            for (long step = 1; step <= 10; step++)
            {
                batches.Fill(step, 1, batch);
                long[] rows = [.. batches.RowsOf(step, 1)];
                Assert.Equal([batches.Row((step - 1) * 6 + 2), batches.Row((step - 1) * 6 + 3)], rows);
                for (int s = 0; s < 2; s++)
                {
                    shards.Read(rows[s], row);
                    Assert.Equal(row, batch.Tokens.Slice(s * (length + 1), 16).ToArray());
                }

                Assert.Equal(rows.Sum(r => shards.Filled(r) - 1), batch.CountedLabels);
                Assert.Equal(batch.CountedLabels, batches.CountLabels(step, 1, batch));
            }
        }
    }

    [Fact]
    public void Document_numbers_change_where_a_document_begins_and_no_first_token_of_a_document_is_a_label()
    {
        using var shards = TokenShards.Open(_folder.Path);
        using var batches = new ShardBatches(shards, Options() with { MaskDocuments = true });
        var batch = new PackedBatch(2, 16);
        int borders = 0;
        for (long step = 1; step <= 10; step++)
        {
            batches.Fill(step, 0, batch);
            int s = 0, labels = 0;
            foreach (long row in batches.RowsOf(step, 0))
            {
                var documents = batch.Documents.Slice(17 * s++, 17).ToArray();
                var pieces = shards.Pieces(row);
                int filled = shards.Filled(row);
                Assert.Equal(pieces.Skip(1).Select(p => p.Start), Enumerable.Range(1, filled - 1).Where(i => documents[i] != documents[i - 1]));
                Assert.All(documents[filled..], d => Assert.True(d > documents[filled - 1]));
                labels += filled - pieces.Count;
                borders += pieces.Count - 1;
            }

            Assert.Equal(labels, batch.CountedLabels);
            Assert.Equal(labels, batches.CountLabels(step, 0, batch));
        }

        Assert.True(borders > 10, "rows of the sample should have several documents");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    public void Ranks_read_disjoint_places_that_together_are_the_same_batch_whatever_their_number(int ranks)
    {
        using var shards = TokenShards.Open(_folder.Path);
        for (long step = 1; step <= 30; step++)
        {
            using var alone = new ShardBatches(shards, Options(7));
            var together = new List<long>();
            for (int r = 0; r < ranks; r++)
            {
                using var rank = new ShardBatches(shards, Options(7) with { Rank = r, Ranks = ranks });
                together.AddRange(Enumerable.Range(0, rank.MicroBatchesPerStep).SelectMany(m => rank.RowsOf(step, m)));
            }

            Assert.Equal(Range((step - 1) * 7, 7).Select(alone.Row), together);
        }
    }

    [Fact]
    public void A_batch_that_grows_is_shared_out_by_its_own_size()
    {
        using var shards = TokenShards.Open(_folder.Path);
        using var alone = new ShardBatches(shards, Options(8));
        long first = 0;
        foreach (int size in (int[])[2, 4, 5, 8])
        {
            var together = new List<long>();
            for (int r = 0; r < 3; r++)
            {
                using var rank = new ShardBatches(shards, Options(8) with { Rank = r, Ranks = 3 });
                together.AddRange(rank.Rows(first, size));
            }

            Assert.Equal(Range(first, size).Select(alone.Row), together);
            first += size;
        }
    }

    [Fact]
    public void A_rank_whose_rows_do_not_fill_its_last_micro_batch_gets_padding_without_labels()
    {
        using var shards = TokenShards.Open(_folder.Path);
        using var batches = new ShardBatches(shards, Options(5) with { Rank = 1, Ranks = 2, MaskDocuments = true });
        Assert.Equal(2, batches.MicroBatchesPerStep);
        var batch = new PackedBatch(2, 16);
        batches.Fill(4, 1, batch);
        long row = Assert.Single(batches.RowsOf(4, 1));
        Assert.Equal(0, batch.Filled[1]);
        Assert.All(batch.Tokens[17..].ToArray(), t => Assert.Equal(ShardSamples.Pad, t));
        Assert.Equal(shards.Filled(row) - shards.Pieces(row).Count, batch.CountedLabels);
    }

    [Fact]
    public void Weights_are_kept_exactly_in_every_window_and_each_group_goes_through_all_its_rows_before_one_comes_again()
    {
        using var shards = TokenShards.Open(_folder.Path);
        using var batches = new ShardBatches(shards, Options() with { Weights = new Dictionary<string, double> { ["web"] = 3, ["code"] = 1 } });
        long border = shards.FirstRow(1);
        Assert.Equal([("web", 0.75), ("code", 0.25)], batches.Groups.Select(g => (g.Group, g.Share)));
        for (int window = 0; window < 3; window++)
        {
            long[] rows = [.. Range(window * 4096L, 4096).Select(batches.Row)];
            Assert.Equal(3072, rows.Count(r => r < border));
            Assert.Equal(1024, rows.Count(r => r >= border));
        }

        // Within the window the order is a shuffle, but what a group shows in its first pass is each row once.
        foreach (var (name, mine) in ((string, Func<long, bool>)[])[("web", r => r < border), ("code", r => r >= border)])
        {
            int count = (int)batches.Groups.Single(g => g.Group == name).Rows, shown = name == "web" ? 3072 : 1024;
            var times = Range(0, 4096).Select(batches.Row).Where(mine).CountBy(r => r).Select(p => p.Value).ToList();
            Assert.Equal(count, times.Count);
            Assert.All(times, t => Assert.InRange(t, shown / count, (shown + count - 1) / count));
        }
    }

    [Fact]
    public void Without_weights_groups_count_as_much_as_they_have_and_a_group_without_weight_is_left_out()
    {
        using var shards = TokenShards.Open(_folder.Path);
        using var all = new ShardBatches(shards, Options());
        Assert.Equal(1, all.Groups.Sum(g => g.Share), 1e-12);
        Assert.All(all.Groups, g => Assert.Equal(g.Rows / (double)all.RowsToTrainOn, g.Share));
        Assert.All(all.Groups, g => Assert.Equal(2, g.Epochs(2 * all.RowsToTrainOn), 1e-12));
        using var code = new ShardBatches(shards, Options() with { Weights = new Dictionary<string, double> { ["code"] = 0.1 } });
        Assert.All(Range(0, 5000).Select(code.Row), r => Assert.True(r >= shards.FirstRow(1)));
    }

    [Theory]
    [InlineData("web", "code")]
    [InlineData("web", "validation")]
    public void Rows_to_validate_on_are_never_trained_on(string one, string two)
    {
        ShardSamples.Write(_folder.Path, groups: [one, two]);
        using var shards = TokenShards.Open(_folder.Path);
        using var batches = new ShardBatches(shards, Options());
        var validation = new ShardValidation(shards, Options());
        long[] kept = [.. Enumerable.Range(0, validation.Count).Select(validation.Row)];
        Assert.Equal(kept.Length, kept.Distinct().Count());
        Assert.Equal(two == "validation" ? Range(shards.FirstRow(1), shards.Groups[1].Rows).ToHashSet() : kept.ToHashSet(), kept.ToHashSet());
        Assert.InRange(kept.Length, shards.Rows / 6, shards.Rows);
        var trained = Range(0, 3 * shards.Rows).Select(batches.Row).ToHashSet();
        Assert.Empty(kept.Intersect(trained));
        Assert.Equal(shards.Rows, kept.Length + trained.Count);

        // Another seed of the run does not move the border.
        using var other = new ShardBatches(shards, Options() with { Seed = 99 });
        Assert.Equal(trained, Range(0, 3 * shards.Rows).Select(other.Row).ToHashSet());
    }

    [Fact]
    public void Rows_to_validate_on_are_never_trained_on_by_weights_either()
    {
        using var shards = TokenShards.Open(_folder.Path);
        var validation = new ShardValidation(shards, Options());
        using var batches = new ShardBatches(shards, Options() with { Weights = new Dictionary<string, double> { ["web"] = 0.7, ["code"] = 0.3 } });
        var trained = Range(0, 2 * 4096).Select(batches.Row).ToHashSet();
        Assert.Empty(Enumerable.Range(0, validation.Count).Select(validation.Row).Intersect(trained));
        Assert.Equal(shards.Rows, validation.Count + trained.Count);
    }

    [Fact]
    public void A_fingerprint_is_that_of_what_was_written_wherever_it_lies()
    {
        using var other = new TemporaryFolder();
        ShardSamples.Write(other.Path);
        using var one = TokenShards.Open(_folder.Path);
        string same, another;
        using (var copy = TokenShards.Open(other.Path)) same = copy.Fingerprint;
        ShardSamples.Write(other.Path, documents: 59);
        using (var copy = TokenShards.Open(other.Path)) another = copy.Fingerprint;
        Assert.Equal(one.Fingerprint, same);
        Assert.NotEqual(one.Fingerprint, another);
    }

    [Fact]
    public void Validation_counts_its_labels()
    {
        using var shards = TokenShards.Open(_folder.Path);
        var validation = new ShardValidation(shards, Options() with { MaskDocuments = true }, maximumRows: 4);
        var batch = new PackedBatch(2, 16);
        validation.Fill(0, 1, batch);
        Assert.Equal(Enumerable.Range(2, 2).Sum(i => shards.Filled(validation.Row(i)) - shards.Pieces(validation.Row(i)).Count), batch.CountedLabels);
        Assert.Equal(batch.CountedLabels, validation.CountLabels(0, 1, batch));
    }

    [Fact]
    public void A_sequence_length_that_does_not_fit_and_a_weight_of_no_group_are_refused()
    {
        using var shards = TokenShards.Open(_folder.Path);
        Assert.Contains("has rows of 16 tokens", Assert.Throws<DataException>(() => new ShardBatches(shards, Options() with { SequenceLength = 17 })).Message, StringComparison.Ordinal);
        Assert.Contains("code, web", Assert.Throws<DataException>(() => new ShardBatches(shards, Options() with { Weights = new Dictionary<string, double> { ["wob"] = 1 } })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".tokens", true)]
    [InlineData(".tokens", false)]
    [InlineData(".documents", true)]
    public void A_shard_that_vanishes_or_is_cut_while_it_is_open_is_an_error_of_input_that_names_it(string suffix, bool vanishes)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows keeps mapped files.");
        using var shards = TokenShards.Open(_folder.Path);
        using var batches = new ShardBatches(shards, Options());
        var batch = new PackedBatch(2, 16);
        batches.Fill(1, 0, batch);
        batches.Dispose();
        string file = _folder.File(shards.ShardOf(batches.RowsOf(2, 0).First()) + suffix);
        if (vanishes) File.Delete(file);
        else File.WriteAllBytes(file, File.ReadAllBytes(file)[..4]);
        Assert.Contains(file, Assert.Throws<IOException>(() => batches.Fill(2, 0, batch)).Message, StringComparison.Ordinal);
        Assert.Contains(file, Assert.Throws<IOException>(() => batches.CountLabels(2, 0, batch)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dataset_is_found_in_its_own_folder_and_in_that_of_a_build_and_an_unfinished_one_says_so()
    {
        using var build = new TemporaryFolder();
        Assert.Null(TokenShards.Locate(build.Path));
        Assert.Null(TokenShards.Locate(build.File("nothing")));
        string shards = build.File("shards");
        ShardSamples.Write(shards);
        Assert.Equal(shards, TokenShards.Locate(build.Path));
        Assert.Equal(shards, TokenShards.Locate(shards));
        File.Delete(Path.Combine(shards, "dataset.json"));
        Assert.Contains("not written to its end", Assert.Throws<DataException>(() => TokenShards.Open(TokenShards.Locate(build.Path)!)).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<long> Range(long first, long count) => Enumerable.Range(0, (int)count).Select(i => first + i);
}
