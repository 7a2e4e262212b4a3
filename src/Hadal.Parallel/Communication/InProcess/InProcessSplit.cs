namespace Hadal.Parallel.Communication.InProcess;

/// <summary>One division of a group, filled by all of its ranks before any of them asks for its part.</summary>
/// <param name="Parent">The group that is divided.</param>
internal sealed record InProcessSplit(InProcessGroup Parent)
{
    private readonly (int Color, int Key)[] _choices = new (int, int)[Parent.Members.Length];
    private readonly Dictionary<int, InProcessGroup> _groups = [];
    private int _taken;

    /// <summary>A rank says where it belongs. Each writes its own place; that all have is known by an operation of the group.</summary>
    public void Choose(int rank, int color, int key) => _choices[rank] = (color, key);

    /// <summary>The group of one color, made for who comes first. Not for two threads at a time.</summary>
    public InProcessGroup Take(int color, ref int groups, out bool isLast)
    {
        if (!_groups.TryGetValue(color, out var group))
        {
            int[] members = [.. Enumerable.Range(0, _choices.Length).Where(r => _choices[r].Color == color).OrderBy(r => _choices[r].Key).Select(r => Parent.Members[r])];
            _groups.Add(color, group = new InProcessGroup(groups++, members));
        }

        isLast = ++_taken == _choices.Length;
        return group;
    }
}
