using System.Numerics;
using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>
/// A double-ended queue in a circular array that grows by doubling. Indexed from the front. The ring has no bound of
/// its own: each use states a bound.
/// </summary>
internal sealed class Ring<T>
{
    private T[] items;
    private int front;

    public Ring(int capacity) => items = new T[BitOperations.RoundUpToPowerOf2((uint)capacity)];

    public int Count { get; private set; }

    public ref T this[int index]
    {
        get
        {
            Invariant.Hold((uint)index < (uint)Count);
            return ref items[(front + index) & (items.Length - 1)];
        }
    }

    public ref T Back => ref this[Count - 1];

    public void PushBack(in T item)
    {
        if (Count == items.Length)
            Grow();
        Count++;
        Back = item;
    }

    public void PopBack()
    {
        Back = default!;
        Count--;
    }

    public T PopFront()
    {
        T item = this[0];
        this[0] = default!;
        front = (front + 1) & (items.Length - 1);
        Count--;
        return item;
    }

    public void Clear()
    {
        Array.Clear(items);
        front = 0;
        Count = 0;
    }

    private void Grow()
    {
        T[] larger = new T[items.Length * 2];
        for (int i = 0; i < Count; i++)
            larger[i] = this[i];
        items = larger;
        front = 0;
    }
}
