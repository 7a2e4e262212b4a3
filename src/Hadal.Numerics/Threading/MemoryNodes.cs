using System.Globalization;
using System.Runtime.InteropServices;

namespace Hadal.Numerics.Threading;

/// <summary>The parts of a machine's memory that are nearer to some processors than to others (NUMA nodes), as Linux tells of them.</summary>
/// <remarks>
/// With more than one, the members of a team are bound to nodes, the same number to each. Pages lie where they are first written, and weights are arranged by the whole
/// team, so they are spread over all nodes and every node's bandwidth is used. With one node nothing is bound.
/// </remarks>
public static unsafe partial class MemoryNodes
{
    private const string Folder = "/sys/devices/system/node";
    private const int LargestProcessor = 8191;
    private static readonly Lazy<int[][]> _processors = new(() => Read(Folder));

    /// <summary>How many nodes with processors there are; 1 where the system does not tell.</summary>
    public static int Count => Math.Max(1, _processors.Value.Length);

    /// <summary>Binds the calling thread to the processors of the node where a member of a team belongs.</summary>
    /// <returns>Whether it was bound; false with a single node, and where the system does not allow it.</returns>
    internal static bool TryBind(int member, int members)
    {
        int[][] nodes = _processors.Value;
        if (nodes.Length < 2 || !OperatingSystem.IsLinux()) return false;
        byte* mask = stackalloc byte[(LargestProcessor + 1) / 8];
        new Span<byte>(mask, (LargestProcessor + 1) / 8).Clear();
        foreach (int processor in nodes[(int)((long)member * nodes.Length / members)]) mask[processor / 8] |= (byte)(1 << processor % 8);
        return SetAffinity(0, (LargestProcessor + 1) / 8, mask) == 0;
    }

    /// <summary>The processors of each node that has any.</summary>
    internal static int[][] Read(string folder)
    {
        try
        {
            if (!Directory.Exists(folder)) return [];
            return
            [
                .. Directory.EnumerateDirectories(folder, "node*").OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal)
                    .Select(f => Path.Combine(f, "cpulist")).Where(File.Exists).Select(f => Parse(File.ReadAllText(f))).Where(p => p.Length > 0),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>A list such as <c>0-3,8,10-11</c>; what is no list has no processors.</summary>
    internal static int[] Parse(string list)
    {
        var processors = new List<int>();
        foreach (string range in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2 || !TryParse(ends[0], out int first) || !TryParse(ends[^1], out int last) || last < first) return [];
            for (int i = first; i <= last; i++) processors.Add(i);
        }

        return [.. processors];

        static bool TryParse(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= LargestProcessor;
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nuint length, byte* mask);
}
