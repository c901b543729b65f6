/**
 * Files that are dropped: on a field they go into it, and anywhere else nothing happens, where the
 * browser would leave the page.
 */
import { useEffect, useState } from "../parts/ui.js";

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

/** What a field needs to take files anywhere on it, by way of the control for files that is in it. */
export function useDrop() {
  const [isOver, setOver] = useState(false);
  const control = (event) => hasFiles(event) && event.currentTarget.querySelector("input[type=file]");
  return {
    isOver,
    handlers: {
      onDragOver(event) {
        if (!control(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setOver(true);
      },
      onDragLeave(event) {
        if (!event.currentTarget.contains(event.relatedTarget)) setOver(false);
      },
      onDrop(event) {
        const input = control(event);
        setOver(false);
        if (!input) return;
        event.preventDefault();
        event.stopPropagation();
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      },
    },
  };
}

/** Keeps the page where a file is dropped beside a field. */
export function useNoDrop() {
  useEffect(() => {
    const ignore = (event) => {
      if (!hasFiles(event) || event.defaultPrevented) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    };
    addEventListener("dragover", ignore);
    addEventListener("drop", ignore);
    return () => {
      removeEventListener("dragover", ignore);
      removeEventListener("drop", ignore);
    };
  }, []);
}
