namespace Hadal.Training.Batches;

/// <summary>Token sequences of equal length, one more token than is predicted: inputs are the first L of each row, labels the last L.</summary>
/// <remarks>A buffer to be filled again and again; making one allocates, filling it does not.</remarks>
public sealed class PackedBatch
{
    private readonly int[] _tokens;
    private int[]? _documents, _filled;

    /// <summary>A batch of zeros.</summary>
    /// <param name="sequences">B, at least 1.</param>
    /// <param name="length">L, predicted tokens of each sequence, at least 1.</param>
    public PackedBatch(int sequences, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (Sequences, Length) = (sequences, length);
        _tokens = new int[checked(sequences * (length + 1))];
    }

    /// <summary>B.</summary>
    public int Sequences { get; }

    /// <summary>L.</summary>
    public int Length { get; }

    /// <summary>Token ids, B rows of L + 1.</summary>
    public Span<int> Tokens => _tokens;

    /// <summary>
    /// Document number of every token, B rows of L + 1, each row never decreasing; empty when documents in a row see each other, as in pre-training
    /// (report section 4.1). With document numbers attention stays inside a document and a label of another document is dropped (section 5.1).
    /// </summary>
    public Span<int> Documents => _documents;

    /// <summary>Makes room for document numbers, all zero.</summary>
    /// <returns>This batch.</returns>
    public PackedBatch WithDocuments()
    {
        _documents ??= new int[_tokens.Length];
        return this;
    }

    /// <summary>Places of each sequence that hold a token, from its start, 0 to L + 1; [B]. What is behind them is padding, no label. Empty when every place holds one.</summary>
    public Span<int> Filled => _filled;

    /// <summary>Makes room for the number of filled places, all L + 1.</summary>
    /// <returns>This batch.</returns>
    public PackedBatch WithFilled()
    {
        if (_filled is not null) return this;
        _filled = new int[Sequences];
        Filled.Fill(Length + 1);
        return this;
    }

    /// <summary>Labels that count in the loss: those that are no padding, and of the same document as the token before them.</summary>
    public int CountedLabels
    {
        get
        {
            if (_documents is null && _filled is null) return Sequences * Length;
            int count = 0;
            for (int b = 0; b < Sequences; b++)
            {
                for (int i = 0; i < Length; i++) count += IsLabel(b, i, 1) ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>Whether the token some places on is there to be predicted, and belongs to the same document.</summary>
    internal bool IsLabel(int sequence, int place, int following) => (_filled is null || place + following < _filled[sequence]) && SameDocument(sequence, place, following);

    /// <summary>Whether the token at a place and the following ones belong to one document.</summary>
    internal bool SameDocument(int sequence, int place, int following)
    {
        if (_documents is null) return true;
        int at = sequence * (Length + 1) + place;
        return _documents[at] == _documents[at + following];
    }

    /// <summary>First place of the document that the token at a place belongs to.</summary>
    internal int DocumentStart(int sequence, int place)
    {
        if (_documents is null) return 0;
        int row = sequence * (Length + 1);
        while (place > 0 && _documents[row + place - 1] == _documents[row + place]) place--;
        return place;
    }
}
