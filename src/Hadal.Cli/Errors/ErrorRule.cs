using Hadal.Cli.CommandLine;
using Hadal.Data;
using Hadal.Inference;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Model.Tokenization;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;
using Hadal.Serving.Security;
using Hadal.Training.Runs;
using Microsoft.Extensions.Options;

namespace Hadal.Cli.Errors;

/// <summary>The one place where an exception becomes an exit code and a sentence.</summary>
internal static class ErrorRule
{
    /// <summary>Reports an exception on standard error.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(Exception exception, Streams streams, bool verbose)
    {
        if (exception is AggregateException { InnerExceptions: [var only] }) exception = only;
        var (code, sentence) = Judge(exception);
        Write(streams, code == ExitCodes.Stopped ? sentence : "error: " + sentence, code == ExitCodes.Stopped ? Yellow : Red);
        if (verbose) streams.Error.WriteLine(exception);
        return code;
    }

    /// <summary>Reports a command line that cannot be understood.</summary>
    /// <returns>The exit code.</returns>
    public static int ReportCommandLine(string sentence, string hint, Streams streams)
    {
        Write(streams, "error: " + sentence, Red);
        streams.Error.WriteLine(hint);
        return ExitCodes.Mistake;
    }

    private const int Red = 31, Yellow = 33;

    private static (int Code, string Sentence) Judge(Exception exception) => exception switch
    {
        OperationCanceledException => (ExitCodes.Stopped, exception is StoppedException ? Sentence(exception.Message) : "Stopped; nothing was written."),
        MistakeException or ConfigException or CheckpointException or TokenizerException or DataException or TrainingException or GenerationException or ApiKeyException
            or ScheduleException or TimelineException or CollectiveException
            => (ExitCodes.Mistake, Sentence(exception.Message)),
        OptionsValidationException e => (ExitCodes.Mistake, Sentence(string.Join(" ", e.Failures))),
        IOException or UnauthorizedAccessException => (ExitCodes.Mistake, Sentence(exception.Message)),
        OutOfMemoryException => (ExitCodes.Mistake, "There is not enough memory for this; a smaller model, batch or context would need less."),
        _ => (ExitCodes.Failure,
            $"Something went wrong inside hadal ({exception.GetType().Name}: {Sentence(exception.Message)[..^1]}). Run again with --verbose for the stack trace."),
    };

    /// <summary>One line with one full stop.</summary>
    private static string Sentence(string message)
    {
        string line = string.Join(' ', message.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        line = line.TrimEnd('.', ' ');
        return line.Length == 0 ? "No reason was given." : line + ".";
    }

    private static void Write(Streams streams, string sentence, int color) =>
        streams.Error.WriteLine(streams is { ErrorIsTerminal: true, Colors: true } ? $"\e[{color}m{sentence}\e[0m" : sentence);
}
