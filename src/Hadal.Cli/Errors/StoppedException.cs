namespace Hadal.Cli.Errors;

/// <summary>The end of a command that was told to stop, with a sentence that says what was kept.</summary>
internal sealed class StoppedException(string sentence, CancellationToken cancellation) : OperationCanceledException(sentence, cancellation);
