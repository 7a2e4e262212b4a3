namespace Hadal.Cli.CommandLine;

/// <summary>What the program tells its caller.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Our fault.</summary>
    public const int Failure = 1;

    /// <summary>The user's: a wrong file, a wrong flag, a full disk.</summary>
    public const int Mistake = 2;

    /// <summary>Stopped by Ctrl-C or a request to terminate: 128 and the number of SIGINT, as shells count.</summary>
    public const int Stopped = 130;
}
