namespace Hadal.Cli.CommandLine;

/// <summary>A command whose help page ends with examples.</summary>
internal interface IWithExamples
{
    /// <summary>Whole command lines.</summary>
    IReadOnlyList<string> Examples { get; }
}
