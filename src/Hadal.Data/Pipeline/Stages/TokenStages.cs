using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Hadal.Data.Corpora;
using Hadal.Data.Mixtures;
using Hadal.Data.Packing;
using Hadal.Data.Pipeline.Recipes;
using Hadal.Data.Pipeline.Storage;
using Hadal.Data.Pipeline.Work;
using Hadal.Data.Shards;
using Hadal.Model.Tokenization;

namespace Hadal.Data.Pipeline.Stages;

/// <summary>
/// Finished documents become rows of tokens. <c>count</c>, only where shares of tokens are asked for: tokens of each group. <c>mixture</c>: how often each group is seen.
/// <c>tokenize</c>: a part's documents, as often as they are seen, encoded and cut into pieces no longer than a row, in a random order. <c>pack</c>: ranges of that order,
/// merged over all parts, packed into rows.
/// </summary>
internal sealed class TokenStages(DataRecipe recipe, TokenRecipe tokens, DocumentEncoder encoder, MemoryBudget budget, WorkFolder work, IReadOnlyList<string> parts)
{
    public const string Count = "count", MixtureName = "mixture", Tokenize = "tokenize", Pack = "pack";
    private const string PieceCounts = "piece-counts.json";
    private string MixtureFolder => work.Of(MixtureName, 0);

    /// <summary>What was packed, in the order of the shards: a folder of rows and its group.</summary>
    public IEnumerable<(string Folder, string Group)> Rows()
    {
        var groups = Groups();
        return PackRanges().Select((range, i) => (work.Of(Pack, i), NameOf(range.Group, groups)));
    }

    public IReadOnlyList<MixtureGroup> Groups() => JsonSerializer.Deserialize<List<MixtureGroup>>(File.ReadAllBytes(Path.Combine(MixtureFolder, GroupTally.File)))!;

    public void Run(StageRunner runner, CancellationToken cancellation)
    {
        if (tokens.Mixture.Shares.Count > 0) runner.Run(Count, EachPart(WriteCounts), cancellation);
        runner.Run(MixtureName, [new WorkTask(1, WriteMixture)], cancellation);
        runner.Run(Tokenize, EachPart(WriteTokens), cancellation);
        runner.Run(Pack, [.. PackRanges().Select(r => new WorkTask(1, (folder, c) => WriteRows(r.Group, r.From, r.Last, folder, c)))], cancellation);
    }

    private static string NameOf(int group, IReadOnlyList<MixtureGroup> groups) => group < groups.Count ? groups[group].Name : ShardGroup.ValidationName;

    private IReadOnlyList<WorkTask> EachPart(Action<int, string, CancellationToken> write) =>
        [.. parts.Select((part, number) => new WorkTask(Math.Max(1, new FileInfo(Path.Combine(part, DocumentPart.Documents)).Length), (folder, cancellation) => write(number, folder, cancellation)))];

    private void WriteCounts(int part, string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var groups = new GroupTally(tokens.Mixture.By);
        var ids = new List<int>();
        foreach (var document in DocumentPart.Read(parts[part]))
        {
            cancellation.ThrowIfCancellationRequested();
            using var turn = budget.Enter(document.Text);
            ids.Clear();
            encoder.Tokenizer.Encode(document.Text, ids, EncodeOptions.Untrusted);
            groups.Add(document.Source, document.Language, Encoding.UTF8.GetByteCount(document.Text), ids.Count + 1);
        }

        groups.Save(folder);
        StageTally.Save(Path.Combine(folder, ReadStage.Tally), [new StageTally(Tokenize) { Seconds = clock.Elapsed.TotalSeconds }]);
    }

    private void WriteMixture(string folder, CancellationToken cancellation)
    {
        var all = new GroupTally(tokens.Mixture.By);
        for (int i = 0; i < parts.Count; i++) all.AddFile(tokens.Mixture.Shares.Count > 0 ? work.Of(Count, i) : parts[i]);
        File.WriteAllBytes(Path.Combine(folder, GroupTally.File), JsonSerializer.SerializeToUtf8Bytes(Mixture.Plan(all.All(), tokens.Mixture)));
    }

    private void WriteTokens(int part, string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var tally = new StageTally(Tokenize);
        var groups = Groups();
        var numbers = groups.Select((g, i) => (g.Name, i)).ToDictionary(StringComparer.Ordinal);
        var counts = new SortedDictionary<int, long>();
        var ids = new List<int>();
        int number = 0;
        using (var spool = new PieceSpool(folder))
        {
            foreach (var document in DocumentPart.Read(parts[part]))
            {
                cancellation.ThrowIfCancellationRequested();
                using var turn = budget.Enter(document.Text);
                var reference = new DocumentReference(part, number++);
                bool isForValidation = encoder.IsForValidation(document);
                int group = numbers[GroupName.Of(tokens.Mixture.By, document.Source, document.Language)];
                int copies = Mixture.Copies(groups[group].Epochs, encoder.CopiesDraw(document));
                if (isForValidation) (group, copies) = (groups.Count, 1);
                if (copies == 0) tally.Drop("mixture");
                else tally.Keep(Encoding.UTF8.GetByteCount(document.Text));
                for (int epoch = 0; epoch < copies; epoch++)
                {
                    ids.Clear();
                    if (encoder.Encode(document, epoch, isForValidation, ids)) tally.FillInTheMiddle++;
                    tally.Tokens += ids.Count;
                    foreach (var piece in DocumentPieces.Cut(ids.Count, tokens.RowTokens))
                    {
                        ulong leading = TokenPiece.LeadingOf(group, encoder.OrderOf(document, reference, epoch, piece.Offset));
                        spool.Add(leading, reference, epoch, piece, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids).Slice(piece.Offset, piece.Length));
                        counts[group] = counts.GetValueOrDefault(group) + 1;
                    }
                }
            }
        }

        File.WriteAllBytes(Path.Combine(folder, PieceCounts), JsonSerializer.SerializeToUtf8Bytes(counts));
        tally.Seconds = clock.Elapsed.TotalSeconds;
        StageTally.Save(Path.Combine(folder, ReadStage.Tally), [tally]);
    }

    // As many ranges for each group as hold about the wished number of pieces.
    private IEnumerable<(int Group, ulong From, ulong Last)> PackRanges()
    {
        var counts = new SortedDictionary<int, long>();
        for (int i = 0; i < parts.Count; i++)
        {
            foreach (var (group, count) in JsonSerializer.Deserialize<Dictionary<int, long>>(File.ReadAllBytes(Path.Combine(work.Of(Tokenize, i), PieceCounts)))!)
                counts[group] = counts.GetValueOrDefault(group) + count;
        }

        foreach (var (group, count) in counts)
        {
            int ranges = checked((int)Math.Max(1, (count + tokens.PiecesPackedTogether / 2) / tokens.PiecesPackedTogether));
            for (int r = 0; r < ranges; r++)
            {
                var (from, last) = TokenPiece.RangeOf(group, r, ranges);
                yield return (group, from, last);
            }
        }
    }

    private void WriteRows(int group, ulong from, ulong last, string folder, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        long[] firstDocument = FirstDocuments();
        string[] runs = [.. Enumerable.Range(0, parts.Count).SelectMany(i => RecordSpool<TokenPiece>.RunsIn(work.Of(Tokenize, i), PieceSpool.Pieces))];
        TokenPiece[] pieces = [.. RecordMerge.Of<TokenPiece>(runs, from, last, folder)];
        var rows = BestFitPacker.Pack(Array.ConvertAll(pieces, p => p.Length), tokens.RowTokens);
        int[] order = Shuffled(rows.Count, SplitHash.Mix(recipe.Seed ^ from));
        using (var writer = new RowFile.Writer(folder))
        using (var files = new OpenFiles())
        {
            int[] row = new int[tokens.RowTokens];
            var placed = new List<RowPiece>();
            foreach (int r in order)
            {
                cancellation.ThrowIfCancellationRequested();
                placed.Clear();
                int[] members = rows[r].ToArray();

                // The packer puts the longest first, which must not become a rule of the data: pieces were in a random order before.
                Array.Sort(members);
                int at = 0;
                foreach (int m in members)
                {
                    var piece = pieces[m];
                    string path = PieceSpool.TokensOf(work.Of(Tokenize, piece.Document.Part), piece.Run);
                    files.Read(path, piece.At * sizeof(int), System.Runtime.InteropServices.MemoryMarshal.AsBytes(row.AsSpan(at, piece.Length)));
                    placed.Add(new RowPiece(firstDocument[piece.Document.Part] + piece.Document.Number, piece.Epoch, piece.Offset, at, piece.Length));
                    at += piece.Length;
                }

                writer.Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(placed), row.AsSpan(0, at));
            }
        }

        StageTally.Save(Path.Combine(folder, ReadStage.Tally), [new StageTally(Pack) { Seconds = clock.Elapsed.TotalSeconds, In = pieces.Length, Out = pieces.Length, Tokens = rows.Tokens, Rows = rows.Count }]);
    }

    // Number of each part's first document in the table of the dataset.
    private long[] FirstDocuments()
    {
        long[] first = new long[parts.Count];
        for (int i = 1; i < first.Length; i++) first[i] = first[i - 1] + DocumentPart.Count(parts[i - 1]);
        return first;
    }

    private static int[] Shuffled(int count, ulong seed)
    {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) order[i] = i;
        for (int i = count - 1; i > 0; i--)
        {
            seed = SplitHash.Mix(seed);
            int other = (int)(((UInt128)seed * (uint)(i + 1)) >> 64);
            (order[i], order[other]) = (order[other], order[i]);
        }

        return order;
    }
}
