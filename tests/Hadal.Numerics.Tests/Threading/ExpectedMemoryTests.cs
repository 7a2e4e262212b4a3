using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Tests.Threading;

public unsafe class ExpectedMemoryTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 7)]
    public void Members_fetch_all_regions_between_them_and_nothing_else(int members, int regions)
    {
        using var expected = new ExpectedMemory(members);
        var wanted = new HashSet<nint>();
        for (int r = 0; r < regions; r++)
        {
            // Addresses are made up: what is fetched is never read.
            byte* start = (byte*)(0x10_0000 * (nint)(r + 1));
            long size = 64 * (37 * r + 5);
            for (nint line = 0; line < size; line += 64) wanted.Add((nint)start + line);
            expected.Add(start, size);
        }

        expected.Publish();
        var fetched = new List<nint>();
        for (int member = 0; member < members; member++)
        {
            var cursor = default(ExpectedMemory.Cursor);
            while (expected.TryNext(member, ref cursor, out byte* at, out int lines))
            {
                for (int i = 0; i < lines; i++) fetched.Add((nint)at + i * 64);
            }
        }

        Assert.Equal(wanted.Count, fetched.Count);
        Assert.Equal(wanted, fetched.ToHashSet());
    }

    [Fact]
    public void A_new_list_takes_the_place_of_the_one_before_and_neighbours_become_one_region()
    {
        using var expected = new ExpectedMemory(1);
        var cursor = default(ExpectedMemory.Cursor);
        Assert.False(expected.TryNext(0, ref cursor, out _, out _));
        for (int i = 0; i < 2 * ExpectedMemory.Most; i++) expected.Add((byte*)0x100000 + 64 * i, 64);
        expected.Publish();
        int calls = 0;
        while (expected.TryNext(0, ref cursor, out _, out _)) calls++;
        Assert.Equal((nint)0x100000 + 64 * 2 * ExpectedMemory.Most, (nint)cursor.At);
        Assert.Equal(2, calls);
        expected.Add((byte*)0x900000, 128);
        expected.Publish();
        Assert.True(expected.TryNext(0, ref cursor, out _, out _));
        Assert.Equal((nint)0x900080, (nint)cursor.At);
        Assert.False(expected.TryNext(0, ref cursor, out _, out _));
    }
}
