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

    /// <summary>Predictions that count: of every token of a row but the first.</summary>
    public static long Labels(TokenShards shards, long row) => Math.Max(0, shards.Filled(row) - 1);

    /// <summary>Writes a row of L tokens into a sequence of L or L + 1 places; those behind the row's tokens are never predicted.</summary>
    public static void Fill(TokenShards shards, long row, PackedBatch batch, int sequence)
    {
        int width = batch.Length + 1;
        var places = batch.Tokens.Slice(sequence * width, width);
        shards.Read(row, places[..shards.RowTokens]);
        places[shards.RowTokens..].Fill(shards.PadId);
        batch.Filled[sequence] = shards.Filled(row);
    }

    /// <summary>A sequence without a row: only padding.</summary>
    public static void FillEmpty(TokenShards shards, PackedBatch batch, int sequence)
    {
        int width = batch.Length + 1;
        batch.Tokens.Slice(sequence * width, width).Fill(shards.PadId);
        batch.Filled[sequence] = 0;
    }
}
