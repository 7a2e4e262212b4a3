namespace Hadal.Data.Exports;

/// <summary>How documents become the bytes of a file.</summary>
internal abstract class DocumentEncoding : IDisposable
{
    /// <summary>Writes a document after those before.</summary>
    /// <exception cref="IOException">The disk takes no more.</exception>
    public abstract void Write(ExportDocument document);

    /// <summary>Writes what ends the file.</summary>
    /// <exception cref="IOException">The disk takes no more.</exception>
    public abstract void Finish();

    public abstract void Dispose();
}
