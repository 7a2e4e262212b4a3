namespace Hadal.Training.Runs;

/// <summary>What the folder of a run holds.</summary>
public enum RunFolderState
{
    /// <summary>Nothing of a run.</summary>
    Empty,

    /// <summary>A run that computes something else.</summary>
    OtherRun,

    /// <summary>This run, not at its end.</summary>
    Begun,

    /// <summary>This run at its end, with its model.</summary>
    Complete,
}
