using System.Text;
using Hadal.Cli.CommandLine;
using Hadal.Cli.Errors;

namespace Hadal.Cli.Wiring;

/// <summary>Text that a command is given in a file or on standard input.</summary>
internal static class TextInput
{
    // A prompt beyond this is no prompt: the longest contexts hold a few million characters.
    private const int LargestText = 64 << 20;

    /// <summary>Reads a UTF-8 file, or standard input for <c>-</c>.</summary>
    public static string Read(string path, CommandContext context)
    {
        if (path == "-")
        {
            string input = context.Streams.In.ReadToEnd();
            return input.Length <= LargestText ? input : throw new MistakeException($"Standard input has more than {LargestText >> 20} million characters, more than any context holds");
        }

        if (Directory.Exists(path)) throw new MistakeException($"{path} is a folder; a file with text is wanted");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (stream.Length > LargestText) throw new MistakeException($"{path} has {stream.Length} bytes, more than any context holds");
        using var reader = new StreamReader(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        try
        {
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException e)
        {
            throw new MistakeException($"{path} is not UTF-8 text", e);
        }
    }
}
