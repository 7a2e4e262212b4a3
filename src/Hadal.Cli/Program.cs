using System.Text;
using Hadal.Cli;
using Hadal.Cli.CommandLine;

// Text is UTF-8 wherever it goes. A Windows console has to be told; elsewhere it is so already, without a byte order mark.
if (OperatingSystem.IsWindows()) Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
using var signals = new StopSignals();
return await HadalProgram.RunAsync(args, Streams.OfConsole(signals), signals.Token);
