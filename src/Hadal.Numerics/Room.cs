namespace Hadal.Numerics;

internal static class Room;
