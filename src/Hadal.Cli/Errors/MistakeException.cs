namespace Hadal.Cli.Errors;

/// <summary>A mistake on the command line that only shows when the command runs: one sentence, exit code 2.</summary>
internal sealed class MistakeException(string sentence, Exception? cause = null) : Exception(sentence, cause);
