using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Threading;

/// <summary>What will be read soon: members of a team that wait for each other fetch it into their caches, so that the memory is never idle.</summary>
/// <remarks>
/// One thread writes a list, any member reads it at any time. A list that is overwritten while a member reads it costs a useless fetch and nothing else: fetching
/// reads no value, and any address will do. Processors without such an instruction (it is not to be had on Arm) do not fetch.
/// </remarks>
internal sealed unsafe class ExpectedMemory : IDisposable
{
    /// <summary>Regions that a list has room for; further ones are left out.</summary>
    public const int Most = 32;

    // What a member fetches at most: a part of its second-level cache, which the product at work needs too.
    private const long MostPerMember = 512 << 10;
    private const int LinesAtOnce = 32;
    private const int Line = 64;
    private const int Lists = 4;
    private readonly int _members;
    private List* _lists;
    private int _published;
    private int _count;
    private long _bytes;

    /// <param name="members">Members of the team.</param>
    public ExpectedMemory(int members)
    {
        _members = members;
        _lists = (List*)NativeMemory.AlignedAlloc((nuint)(Lists * sizeof(List)), Line);
        new Span<byte>(_lists, Lists * sizeof(List)).Clear();
    }

    /// <summary>Adds a region to the list that is being written.</summary>
    /// <param name="start">Where it starts.</param>
    /// <param name="bytes">How long it is.</param>
    public void Add(byte* start, long bytes)
    {
        if (bytes <= 0) return;
        var list = Next();
        if (_count > 0 && list->Regions[_count - 1] is var last && start == last.Start + last.Bytes) list->Regions[_count - 1] = new Region(last.Start, last.Bytes + bytes);
        else if (_count < Most) list->Regions[_count++] = new Region(start, bytes);
        else return;
        _bytes += bytes;
    }

    /// <summary>The list is complete and takes the place of the one before.</summary>
    public void Publish()
    {
        var list = Next();
        (list->Count, list->Bytes) = (_count, _bytes);
        (_count, _bytes) = (0, 0);
        Volatile.Write(ref _published, _published + 1);
    }

    /// <summary>Fetches a little of a member's share.</summary>
    /// <param name="member">Which; its share is where it starts in a job that is cut into equal parts.</param>
    /// <param name="cursor">How far it is.</param>
    /// <returns>False if nothing is left.</returns>
    public bool Fetch(int member, ref Cursor cursor)
    {
        if (!Sse.IsSupported || !TryNext(member, ref cursor, out byte* at, out int lines)) return false;
        for (int i = 0; i < lines; i++) Sse.Prefetch1(at + i * Line);
        return true;
    }

    /// <summary>What a member fetches next.</summary>
    /// <param name="member">Which.</param>
    /// <param name="cursor">How far it is.</param>
    /// <param name="at">First address.</param>
    /// <param name="lines">Cache lines of 64 bytes.</param>
    /// <returns>False if nothing is left.</returns>
    internal bool TryNext(int member, ref Cursor cursor, out byte* at, out int lines)
    {
        int published = Volatile.Read(ref _published);
        if (cursor.Published != published) Begin(published, member, ref cursor);
        at = cursor.At;
        lines = (int)Math.Min(LinesAtOnce, (Math.Min(cursor.Left, cursor.LeftInRegion) + Line - 1) / Line);
        if (lines <= 0) return false;
        cursor.At += lines * Line;
        cursor.Left -= lines * Line;
        cursor.LeftInRegion -= lines * Line;
        if (cursor.LeftInRegion <= 0 && cursor.Left > 0) Enter(cursor.Region + 1, 0, ref cursor);
        return true;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_lists);
        _lists = null;
    }

    private List* Next() => _lists + ((_published + 1) & (Lists - 1));

    private void Begin(int published, int member, ref Cursor cursor)
    {
        cursor.Published = published;
        var list = _lists + (published & (Lists - 1));
        long lines = (list->Bytes + Line - 1) / Line, skip = lines * member / _members * Line;
        cursor.Left = Math.Min(MostPerMember, lines * (member + 1) / _members * Line - skip);
        int region = 0;
        while (region < list->Count && skip >= list->Regions[region].Bytes) skip -= list->Regions[region++].Bytes;
        Enter(region, skip, ref cursor);
    }

    private void Enter(int region, long skip, ref Cursor cursor)
    {
        var list = _lists + (cursor.Published & (Lists - 1));
        if (region >= list->Count)
        {
            cursor.Left = 0;
            return;
        }

        var entered = list->Regions[region];
        cursor.At = entered.Start + skip;
        (cursor.Region, cursor.LeftInRegion) = (region, entered.Bytes - skip);
    }

    /// <summary>How far a member is.</summary>
    internal struct Cursor
    {
        public int Published;
        public int Region;
        public byte* At;
        public long Left;
        public long LeftInRegion;
    }

    private readonly struct Region(byte* start, long bytes)
    {
        public readonly byte* Start = start;
        public readonly long Bytes = bytes;
    }

    private struct List
    {
        public int Count;
        public long Bytes;
        public RegionArray Regions;
    }

    [InlineArray(Most)]
    private struct RegionArray
    {
        private Region _first;
    }
}
