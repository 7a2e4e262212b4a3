namespace Hadal.Inference.Measurement;

/// <summary>Logits of a text's windows, read in order.</summary>
internal interface ILogitSource
{
    /// <summary>Columns of a row.</summary>
    int Vocabulary { get; }

    /// <summary>Reads the next rows of a window.</summary>
    /// <param name="window">Which; in ascending order.</param>
    /// <param name="first">First row: 0, or where the rows read before end.</param>
    /// <param name="logits">[rows, V].</param>
    /// <param name="cancellation">Stops the reading.</param>
    void Read(int window, int first, Span<float> logits, CancellationToken cancellation);
}
