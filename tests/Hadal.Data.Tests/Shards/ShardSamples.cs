using Hadal.Data.Packing;
using Hadal.Data.Shards;

namespace Hadal.Data.Tests.Shards;

/// <summary>A small dataset whose every token says which document and place it comes from.</summary>
internal static class ShardSamples
{
    public const int End = 1, Pad = 2;

    public static int Token(long document, int place, int length, int vocabulary) => place == length - 1 ? End : 3 + (int)((document * 31 + place * 7) % (vocabulary - 3));

    /// <summary>Documents of 1 to 3·L/2 tokens in groups, packed by best fit.</summary>
    public static void Write(string folder, int rowTokens = 16, int vocabulary = 300, int documents = 60, long shardBytes = 200, params string[] groups)
    {
        if (groups.Length == 0) groups = ["web", "code"];
        using var writer = new TokenShardWriter(folder, new TokenShardOptions { RowTokens = rowTokens, VocabularySize = vocabulary, EndId = End, PadId = Pad, Seed = 7, ShardBytes = shardBytes });
        foreach (string group in groups)
        {
            var pieces = new List<(long Document, int Length, DocumentPiece Piece)>();
            for (int i = 0; i < documents; i++)
            {
                long number = writer.AddDocument($"{group}/{i}", group + ".jsonl");
                int length = 1 + i * 37 % (rowTokens * 3 / 2);
                pieces.AddRange(DocumentPieces.Cut(length, rowTokens).Select(p => (number, length, p)));
            }

            var rows = BestFitPacker.Pack([.. pieces.Select(p => p.Piece.Length)], rowTokens);
            for (int r = 0; r < rows.Count; r++)
            {
                var row = new List<RowPiece>();
                var tokens = new List<int>();
                foreach (int p in rows[r])
                {
                    var (document, length, piece) = pieces[p];
                    row.Add(new RowPiece(document, 0, piece.Offset, tokens.Count, piece.Length));
                    tokens.AddRange(Enumerable.Range(piece.Offset, piece.Length).Select(i => Token(document, i, length, vocabulary)));
                }

                writer.AddRow(group, [.. row], [.. tokens]);
            }
        }

        writer.Complete();
    }
}
