namespace Hadal.Model.Tokenization;

/// <summary>Receives the pieces of a text in order. The spans are valid only during the call.</summary>
internal interface IPieceSink
{
    /// <summary>Takes a piece of text.</summary>
    void Add(ReadOnlySpan<char> piece);

    /// <summary>Takes a piece written in the byte alphabet, which need not be whole characters.</summary>
    void AddMapped(ReadOnlySpan<char> piece);
}
