using System.Runtime.InteropServices;

namespace Hadal.Inference.Experts;

/// <summary>Lets threads that read ahead stand back behind those that compute.</summary>
/// <remarks>
/// The members of a team wait for each other after every operation, thousands of times a second. Where readers take a processor from one of them, all wait; while a step
/// waits for the disk the processors are free anyway. The runtime ignores thread priorities on Linux, where each thread has its own nice value.
/// </remarks>
internal static partial class BackgroundPriority
{
    private const int OfThread = 0, Nice = 10;

    /// <summary>Lowers the priority of the calling thread, where the system allows it.</summary>
    public static void Take()
    {
        if (OperatingSystem.IsLinux()) _ = SetPriority(OfThread, 0, Nice);
        else Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
    }

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int kind, int id, int nice);
}
