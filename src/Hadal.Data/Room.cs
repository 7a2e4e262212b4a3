namespace Hadal.Data;

internal static class Room;
