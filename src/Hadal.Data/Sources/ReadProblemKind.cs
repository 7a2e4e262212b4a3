namespace Hadal.Data.Sources;

/// <summary>What reading did about a problem.</summary>
public enum ReadProblemKind
{
    /// <summary>Nothing of the file or folder is read.</summary>
    PathSkipped,

    /// <summary>Reading of the file ended before its end; the documents before stay.</summary>
    FileCutShort,

    /// <summary>One record is left out, the next is read.</summary>
    RecordSkipped,

    /// <summary>The document is kept, but its text is not byte for byte what the file says.</summary>
    TextRepaired,
}
