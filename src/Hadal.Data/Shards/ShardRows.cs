using Hadal.Training.Batches;

namespace Hadal.Data.Shards;

/// <summary>Puts rows of a dataset into the sequences of a batch.</summary>
internal static class ShardRows
{
    /// <exception cref="DataException">A row makes neither as many predictions as a sequence nor one more.</exception>
    public static void RequireLength(TokenShards shards, int sequenceLength)
    {
        if (sequenceLength != shards.RowTokens && sequenceLength != shards.RowTokens - 1)
        {
            throw new DataException($"sequence_length is {sequenceLength}, but {shards.Folder} has rows of {shards.RowTokens} tokens; it has to be {shards.RowTokens}"
                + (shards.RowTokens > 2 ? $", or {shards.RowTokens - 1} to predict every token of a row." : "."), shards.Folder);
        }
    }

    /// <summary>Predictions that count: of every token of a row but the first or, with a mask, but the first of each document.</summary>
    public static long Labels(TokenShards shards, long row, bool maskDocuments)
    {
        shards.RequirePresent(row);
        return Math.Max(0, shards.Filled(row) - (maskDocuments ? shards.Pieces(row).Count : 1));
    }

    /// <summary>Makes room in a batch for what rows have besides tokens.</summary>
    public static void MakeRoom(PackedBatch batch, bool maskDocuments)
    {
        batch.WithFilled();
        if (maskDocuments) batch.WithDocuments();
    }

    /// <summary>Writes a row of L tokens into a sequence of L or L + 1 places; those behind the row's tokens are never predicted.</summary>
    public static void Fill(TokenShards shards, long row, PackedBatch batch, int sequence)
    {
        shards.RequirePresent(row);
        int width = batch.Length + 1;
        var places = batch.Tokens.Slice(sequence * width, width);
        shards.Read(row, places[..shards.RowTokens]);
        places[shards.RowTokens..].Fill(shards.PadId);
        batch.Filled[sequence] = shards.Filled(row);
        if (batch.Documents.IsEmpty) return;

        // Pieces are numbered, not documents: two repetitions of a document in a row are two. Padding is one more.
        var documents = batch.Documents.Slice(sequence * width, width);
        int number = 0;
        foreach (var piece in shards.Pieces(row)) documents.Slice(piece.Start, piece.Length).Fill(number++);
        documents[batch.Filled[sequence]..].Fill(number);
    }

    /// <summary>A sequence without a row: only padding.</summary>
    public static void FillEmpty(TokenShards shards, PackedBatch batch, int sequence)
    {
        int width = batch.Length + 1;
        batch.Tokens.Slice(sequence * width, width).Fill(shards.PadId);
        batch.Filled[sequence] = 0;
        if (!batch.Documents.IsEmpty) batch.Documents.Slice(sequence * width, width).Clear();
    }
}
